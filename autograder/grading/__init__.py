"""Marks a class and stores its results."""
