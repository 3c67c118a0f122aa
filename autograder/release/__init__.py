"""Builds the student version from the instructor's notebook and proves it."""
