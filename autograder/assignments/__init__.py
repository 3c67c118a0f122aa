"""What belongs to one assignment alone, one package per assignment."""
