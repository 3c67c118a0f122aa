"""`python -m autograder`: the command where it is not installed, as from a wheel that is only on the path."""

import sys

from autograder.cli import main

sys.exit(main())
