"""The time of a submission."""

from dataclasses import dataclass

RESERVE_SECONDS = 5.0  # that each later task can count on, whatever the cells and the earlier tasks took


@dataclass
class Clock:
    """The time that a submission may take, and what it has taken."""

    limit_seconds: float
    cells_seconds: float = 0.0
    calls_seconds: float = 0.0

    @property
    def rest(self) -> float:
        """What the submission may still take in all."""
        return self.limit_seconds - self.calls_seconds - self.cells_seconds

    def left(self, later_tasks: float) -> float:
        """Return what the cells, or the present task, may still take, so that each later task keeps its reserve."""
        return self.rest - later_tasks * min(RESERVE_SECONDS, self.limit_seconds / 20)
