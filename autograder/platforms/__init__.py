"""What is given out to others: a package for students, and what other platforms want to have."""
