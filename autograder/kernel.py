"""What the hidden part of a test cell imports; released notebooks name this module."""

from autograder.nbgrader_host.kernel import mark

__all__ = ["mark"]
