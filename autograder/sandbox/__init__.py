"""Starts, limits and ends the processes that run student code."""
