"""Files, temporary folders, signals, imports and CPU affinity; knows nothing of grading."""
