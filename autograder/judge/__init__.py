"""Marks one submission and returns its report."""
