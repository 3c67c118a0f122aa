"""The time of a submission: what it may take in all, and what each of the student's own cells may take."""

from dataclasses import dataclass

from autograder.intake.cells import RawCell

SHORT_SECONDS = 1.0  # what a long cell gets once it has been cut short, or the cells' time is used up
CELLS_SHARE = 1 / 3  # of the submission's time, in which the student's own cells may be long
BOX_SHARE = 1 / 40  # of the submission's time, which long cells may take in each box after that
RESERVE_SECONDS = 5.0  # that each later task can count on, whatever the earlier ones took
LONG_SECONDS = 0.25  # a cell that defines things takes milliseconds


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

    def left(self, later_tasks: int) -> float:
        """Return what the present task may still take, so that each later one keeps its reserve."""
        return self.rest - later_tasks * min(RESERVE_SECONDS, self.limit_seconds / 20)


class CellTimes:
    """How long each of the student's cells may take.

    They may take their time until together they have used their share of the submission's. From then on a cell gets a
    second, and those known to be long are left out where they would use up a box's share.
    """

    def __init__(self, clock: Clock, cell_seconds: float) -> None:
        self._clock = clock
        self._cell_seconds = cell_seconds
        self._long: set[int] = set()
        self._cut: set[int] = set()
        self._box_seconds = 0.0

    def new_box(self) -> None:
        """Begin to count a box's share."""
        self._box_seconds = 0.0

    def limit(self, cell: RawCell) -> float:
        """Return how long a cell may take now; 0 to leave it out."""
        share = self._clock.limit_seconds * CELLS_SHARE - self._clock.cells_seconds
        if share > 0 and cell.number not in self._cut:
            return max(min(SHORT_SECONDS, self._cell_seconds), min(self._cell_seconds, share))
        if cell.number in self._long and self._box_seconds > self._clock.limit_seconds * BOX_SHARE:
            return 0.0
        return min(SHORT_SECONDS, self._cell_seconds)

    def took(self, cell: RawCell, seconds: float) -> None:
        """Count a cell's time."""
        self._clock.cells_seconds += seconds
        self._box_seconds += seconds
        if seconds > LONG_SECONDS:
            self._long.add(cell.number)

    def cut_short(self, cell: RawCell) -> bool:
        """Note that a cell ran to its limit; True for the first time."""
        first = cell.number not in self._cut
        self._cut.add(cell.number)
        self._long.add(cell.number)
        return first
