"""What authors of hidden checks import."""
