"""What a reader of submissions noticed and the student is told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Notice:
    """Something odd that cost no points."""

    code: str
    message: str
    cell: str = ""  # the grade_id, or "cell 7" where it has none
