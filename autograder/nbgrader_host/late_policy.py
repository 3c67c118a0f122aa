"""What a late submission loses, by the table in nbgrader_config.py."""

from nbgrader.plugins import LateSubmissionPlugin
from traitlets import Float, List, TraitError, Tuple, validate
from traitlets.utils.bunch import Bunch


class LatePolicy(LateSubmissionPlugin):  # type: ignore[misc]
    """nbgrader's plug-in for late penalties: a table of rows (hours, percent), no penalty while it is empty."""

    table = List(
        Tuple(Float(), Float()),
        help="Rows (hours, percent): up to so many hours late, so many percent of the points are lost; beyond the "
        "last row what the last row says.",
    ).tag(config=True)

    @validate("table")
    def _check(self, proposal: Bunch) -> list[tuple[float, float]]:
        rows: list[tuple[float, float]] = proposal["value"]
        hours = [row[0] for row in rows]
        if hours != sorted(set(hours)) or any(hour <= 0 for hour in hours):
            raise TraitError(f"LatePolicy.table: the hours must be above zero and rise from row to row, not {hours}")
        if any(not 0 <= percent <= 100 for _, percent in rows):
            raise TraitError(f"LatePolicy.table: a percentage must lie between 0 and 100; the table is {rows}")
        return rows

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float | None:
        """Return the points that are lost, None for none."""
        if not self.table or total_seconds_late <= 0:
            return None
        late_hours = total_seconds_late / 3600
        percent = next((percent for hours, percent in self.table if late_hours <= hours), self.table[-1][1])
        return float(score) * percent / 100 if percent else None
