"""`python -m PACKAGE NOTEBOOK`: the same as the command `check`."""

import sys

from autograder.platforms.student.check.cli import main

sys.exit(main())
