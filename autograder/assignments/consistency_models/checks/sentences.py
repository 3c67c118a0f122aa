"""Sentences for students that several tasks' checks share: where a result is wrong in some cases only."""

from __future__ import annotations

SIZES = (
    "The result is right for some batches and wrong for others: is a number of rows or of coordinates written into "
    "the code, or does it look at some of the rows only?"
)
TIMES = (
    "The result is right for most times and wrong for some: what does the code do at the ends of their range, where "
    "two times are close, and where one occurs twice?"
)
RANGE = (
    "The result is right for numbers of ordinary size and wrong for large ones: is something clamped, or squashed in "
    "another way?"
)
