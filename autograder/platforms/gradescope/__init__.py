"""The zip for Gradescope: `build` makes it here, `setup.sh`, `run_autograder` and `run` work in its container."""
