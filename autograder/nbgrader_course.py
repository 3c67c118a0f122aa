"""What a course's nbgrader_config.py imports; such files are in many folders, so this name stays."""

from autograder.nbgrader_host.course import configure

__all__ = ["configure"]
