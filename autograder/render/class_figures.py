"""The figures of a class: how many reached what, how hard each check is and what it tells apart, how long it took."""

import math
import statistics
from collections import Counter
from collections.abc import Sequence

from autograder.render.class_statistics import CheckStatistics
from autograder.render.drawing import Drawing, Point
from autograder.text import number

WIDE, HIGH = 330.0, 170.0
LEFT, RIGHT, TOP, BOTTOM = 30.0, 12.0, 34.0, 36.0
BINS = 10
LOWEST_R = -0.5  # of the discrimination's axis; what is below is drawn at the border
BAR = (120.0, 12.0)
_VERDICTS = (("held", "held"), ("part", "part"), ("lost", "lost"), ("open", "track"))  # and their roles


def histogram(values: Sequence[float], end: float, axis: str) -> Drawing:
    """Return how many values lie in each tenth of the way from 0 to `end`, and where the middle one is."""
    counts = _counts(values, end)
    most = max([*counts, 1])
    drawing = Drawing(WIDE, HIGH)
    width = (WIDE - LEFT - RIGHT) / BINS
    for place, count in enumerate(counts):
        high = (HIGH - TOP - BOTTOM) * count / most
        at = (LEFT + width * place + 1, HIGH - BOTTOM - high)
        if count:
            drawing.box(at, (width - 2, high), "own", tip=f"{_range(place, end)}: {count}")
            drawing.words((at[0] + width / 2 - 1, at[1] - 4), str(count), "ink", "middle")
    _axis(drawing, [(LEFT + width * place, number(end * place / BINS)) for place in range(0, BINS + 1, 2)], axis)
    if values:
        middle = statistics.median(values)
        x = LEFT + (WIDE - LEFT - RIGHT) * min(1.0, middle / end if end else 0.0)
        drawing.line([(x, 15.0), (x, HIGH - BOTTOM)], "lost", 1.0, dashed=True)
        drawing.words((min(max(x, 50.0), WIDE - 60.0), 11.0), f"median {number(middle)}", "lost", "middle")
    return drawing


def histogram_in_words(values: Sequence[float], end: float, unit: str) -> str:
    """Return what the histogram shows."""
    counts = _counts(values, end)
    parts = [f"{count} in {_range(place, end)}" for place, count in enumerate(counts) if count]
    return f"Of {len(values)}, in {unit}: {', '.join(parts)}." if parts else "There is nothing to show."


def difficulty_and_discrimination(checks: Sequence[tuple[int, CheckStatistics]]) -> Drawing | None:
    """Return each numbered check by the share of points that it gave and its correlation; None where none has one."""
    placed: list[tuple[int, Point]] = []
    for name, check in checks:
        difficulty, discrimination = check.difficulty, check.discrimination
        if difficulty is not None and discrimination is not None:
            placed.append((name, (_across(difficulty), _up(discrimination.r))))
    if not placed:
        return None
    drawing = Drawing(WIDE, HIGH + 70)
    for r in (-0.5, 0.0, 0.5, 1.0):
        drawing.line([(LEFT, _up(r)), (WIDE - RIGHT, _up(r))], "line")
        drawing.words((LEFT - 4, _up(r) + 4), f"{r:g}", "soft", "end")
    _axis(drawing, [(_across(part / 4), f"{25 * part} %") for part in range(5)], "mean share of the check's points")
    taken: list[Point] = []
    for name, at in sorted(placed, key=lambda row: row[1][1], reverse=True):
        drawing.dots([at], "own", 3.0)
        label = (at[0] + 6, at[1] + 4)
        # Of labels that would lie on one another the lower check keeps its own: it is the one to look at.
        if all(abs(label[0] - x) > 15 or abs(label[1] - y) > 11 for x, y in taken) or at[1] > _up(0.2):
            drawing.words(label, str(name), "ink")
            taken.append(label)
    return drawing


def verdicts(check: CheckStatistics) -> Drawing:
    """Return a bar of how many held, held in part, were lost or not tried."""
    drawing = Drawing(*BAR)
    counts = [(getattr(check, name), role) for name, role in _VERDICTS]
    all_of_them = sum(count for count, _ in counts)
    x = 0.0
    for count, role in counts:
        if count:
            width = BAR[0] * count / all_of_them
            drawing.box((x, 0.0), (width, BAR[1]), role)
            x += width
    return drawing


def round_up(value: float) -> float:
    """Return a round number at or above a value, for the end of an axis: 1, 2 or 5 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if value <= step * power * (1 + 1e-9))


def _axis(drawing: Drawing, ticks: Sequence[tuple[float, str]], title: str) -> None:
    base = drawing.height - BOTTOM
    drawing.line([(LEFT, base), (WIDE - RIGHT, base)], "soft")
    for x, text in ticks:
        drawing.line([(x, base), (x, base + 4)], "soft")
        drawing.words((x, base + 17), text, "soft", "middle")
    drawing.words(((LEFT + WIDE - RIGHT) / 2, base + 32), title, "soft", "middle")


def _counts(values: Sequence[float], end: float) -> list[int]:
    found = Counter(min(BINS - 1, max(0, int(BINS * value / end))) if end else 0 for value in values)
    return [found[place] for place in range(BINS)]


def _range(place: int, end: float) -> str:
    return f"{number(end * place / BINS)} to {number(end * (place + 1) / BINS)}"


def _across(share: float) -> float:
    return LEFT + share * (WIDE - LEFT - RIGHT)


def _up(r: float) -> float:
    height = HIGH + 70 - TOP - BOTTOM
    return TOP + height * (1.0 - (max(LOWEST_R, r) - LOWEST_R) / (1.0 - LOWEST_R))
