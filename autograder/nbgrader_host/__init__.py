"""Everything that imports nbgrader or nbconvert."""
