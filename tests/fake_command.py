"""`python -m tests.fake_command`: the command line with the fake judge, for tests that need a process of its own."""

from __future__ import annotations

import argparse
import sys

from autograder import cli
from autograder.assignment import load
from autograder.commands import grade, score
from autograder.course import AssignmentFolders
from autograder.grading import executors
from autograder.grading.job import Marking
from autograder.settings import load_settings
from tests.fake_judge import FakeJudge


def marking(options: argparse.Namespace, folders: AssignmentFolders) -> Marking:
    """Return how to mark, by the fake judge."""
    return Marking(load(folders), load_settings(folders.course), options.isolation, FakeJudge)


if __name__ == "__main__":
    executors.PRELOAD = ["autograder.grading.worker"]  # the fake judge does without the real one's libraries
    grade.marking_of = score.marking_of = marking
    sys.exit(cli.main())
