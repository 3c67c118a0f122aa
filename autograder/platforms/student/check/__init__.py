"""Checks your notebook before you hand it in: the file, what is missing, what raises, and the visible checks.

The grader decides the points with other checks, which are not in this package. Files are read by the grader's own code,
in `reading`, so that both understand a file in the same way. Nothing is sent anywhere, and your file is only read.
"""
