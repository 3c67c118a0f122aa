"""A row of the battery as data: what is handed in, and what must come of it.

Most rows put hostile code into one answer, or into a cell of its own, of an otherwise right but small submission: of
the four functions that train a model it has `ema_update` alone, so that nothing is trained and a row takes seconds.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import nbformat

from tests import notebooks

TRAINING = ("noisy_sample", "teacher_ode_step", "consistency_distillation_loss", "ema_update")
CANARY = "k9-battery-canary-51f3"  # planted wherever a submission has no business
PAIR = """
def consistency_training_pair(x_0, epsilon, t_n1, t_n):
    def at(t):
        return (1 - t)[:, None] * x_0 + t[:, None] * epsilon
    return at(t_n1), at(t_n)
"""
# Prefixed to a right `ema_update`: the answer stays right unless `leaks` has something in it.
UNLESS_LEAKED = """
leaks = []
NEEDLE = "".join(("k9-battery-", "canary-51f3"))
"""
RAISE_IF_LEAKED = """
if leaks:
    raise RuntimeError("leak: " + ", ".join(map(str, leaks))[:120])
"""

Edit = Callable[[nbformat.NotebookNode], object]


@dataclass(frozen=True)
class Row:
    """One submission and its outcome; a task that is neither in `lost` nor in `partly` keeps what its answer earns."""

    id: str  # the battery's number and a name
    answers: Mapping[str, str] = field(default_factory=dict)  # task: source of its answer cell
    cell: str = ""  # a code cell of the student's own, before the answers
    edit: Edit | None = None  # of the notebook
    data: Callable[[bytes], bytes] | None = None  # of the file
    files: Mapping[str, str] = field(default_factory=dict)  # handed in beside the notebook
    name: str = notebooks.FILE
    whole: bool = False  # based on all reference answers, not on the small submission
    blank: bool = False  # based on the release
    lost: tuple[str, ...] = ()  # tasks that lose all of their points
    partly: tuple[str, ...] = ()  # tasks that lose some
    statuses: frozenset[str] = frozenset()  # of the lost checks of these tasks: nothing else
    warnings: tuple[str, ...] = ()  # the codes, sorted
    says: str = ""  # found in a message about these tasks, or in a warning
    unreadable: str = ""  # found in the reason
    seconds: int = 3  # the limit of a call and of a cell; a row that can only end there need not wait so long

    def build(self) -> bytes:
        """Return the file that is handed in."""
        notebook = notebooks.student_notebook(self._answers())
        if self.cell:
            notebooks.add_code(notebook, textwrap.dedent(self.cell).strip())
        if self.edit is not None:
            self.edit(notebook)
        for each in notebook.cells:  # nbformat draws these at random
            each.pop("id", None)
        notebook.nbformat_minor = 4
        data = nbformat.writes(notebook).encode()
        return self.data(data) if self.data is not None else data

    def full(self) -> set[str]:
        """Return the tasks that keep all of their points."""
        right = set(self._answers()) - set(self.lost) - set(self.partly)
        if self.whole and len(right & set(TRAINING)) >= 3:
            right |= {"boundary_condition", "sample_quality"} - set(self.partly) - set(self.lost)
        return right

    def _answers(self) -> dict[str, str]:
        if self.blank:
            return dict(self.answers)
        reference = notebooks.reference_answers()
        if not self.whole:
            reference = {task: reference[task] for task in ("ema_update", "sample_consistency_multistep")}
            reference["consistency_training_pair"] = PAIR.strip()
        return {**reference, **{task: textwrap.dedent(source).strip() for task, source in self.answers.items()}}


def statuses(*names: str) -> frozenset[str]:
    """Return a set of statuses."""
    return frozenset(names)


def ema(body: str) -> dict[str, str]:
    """Return an `ema_update` with this body."""
    return {"ema_update": "def ema_update(online, target, decay):\n" + _indented(body)}


def sampler(body: str) -> dict[str, str]:
    """Return a `sample_consistency_multistep` with this body."""
    head = "def sample_consistency_multistep(model, n_samples, n_steps, sigma_min=0.002, sigma_max=1.0):\n"
    return {"sample_consistency_multistep": head + _indented(body)}


def honest_ema(before: str) -> dict[str, str]:
    """Return a right `ema_update` that does something else first."""
    right = """
    with torch.no_grad():
        for p_target, p_online in zip(target.parameters(), online.parameters()):
            p_target.mul_(decay).add_(p_online, alpha=1 - decay)
    """
    return ema(textwrap.dedent(before).strip() + "\n" + textwrap.dedent(right).strip())


def unless_leaked(search: str) -> dict[str, str]:
    """Return an `ema_update` that is right unless the search puts what it found into `leaks`."""
    return honest_ema("\n".join(textwrap.dedent(part).strip() for part in (UNLESS_LEAKED, search, RAISE_IF_LEAKED)))


def _indented(body: str) -> str:
    return textwrap.indent(textwrap.dedent(body).strip(), "    ")
