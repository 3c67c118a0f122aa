"""The assignment on consistency models."""
