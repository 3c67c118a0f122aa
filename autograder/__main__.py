"""`python -m autograder`: the command where it is not installed, as from a wheel that is only on the path."""

import os
import sys

# Python puts the working folder first on the path: it may be one of submissions, whose modules are not ours.
if not sys.flags.safe_path and sys.path[0] == os.getcwd() != os.path.dirname(os.path.dirname(__file__)):
    del sys.path[0]

from autograder.cli import command

sys.exit(command())
