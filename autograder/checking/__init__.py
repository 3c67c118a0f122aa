"""What authors of hidden checks import."""

from autograder.checking.check import points

__all__ = ["points"]
