"""Every record of the bank against the hidden checks, in this process; and the checks against odd answers."""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import io
import math
import random
import warnings
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import hypothesis
import matplotlib
import numpy as np
import pytest
import torch

from autograder.assignments.consistency_models.checks.oracles import AffineMap
from autograder.assignments.consistency_models.checks.strategies import Draw, consistency_state
from autograder.assignments.consistency_models.noise import (
    FALSE_ALARM,
    MANY,
    are_fresh,
    has_size,
    is_gaussian,
    is_unrelated,
    rows_differ,
)
from autograder.assignments.consistency_models.stand_in import noisy_sample
from autograder.box.cells import Cells
from autograder.box.failures import cell_name
from autograder.checking.student import Call, ModelState, Reply, Rows, Student
from autograder.nbgrader_host.kernel import LocalStudent
from autograder.verdict import CheckFailed, Status
from tests.bank import Record, cells, load_bank, one_of_each
from tests.notebooks import assignment, reference_answers

TASKS = tuple(task.id for task in assignment().tasks if task.answer is not None)
BANK = load_bank()
SEED = 11

Check = Callable[[Student], None]
Outcome = CheckFailed | None


@pytest.fixture(autouse=True, scope="module")
def _marker(request: pytest.FixtureRequest) -> None:
    """Make the mark of checks known, as the judge's plugin does."""
    request.config.addinivalue_line("markers", "points(weight, value=False): a hidden check")


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """Leave the global generators and torch's switches as they were: answers draw, seed and switch."""
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()
    yield
    torch.set_rng_state(states[0])
    np.random.set_state(states[1])
    random.setstate(states[2])
    torch.set_grad_enabled(True)


@functools.cache
def prelude() -> dict[str, Any]:
    """Return the namespace that the prelude's cells leave, with a teacher."""
    matplotlib.use("Agg")
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for cell in assignment().prelude:
        exec(cell.source, namespace)
    namespace["teacher"] = namespace["ToyModel"]().eval().requires_grad_(False)
    return namespace


def student_of(sources: list[str]) -> LocalStudent:
    """Return the student whose notebook has these cells."""
    namespace = dict(prelude())
    notebook = Cells(namespace, lambda error: error, KeyboardInterrupt, sorted(assignment().elsewhere))
    for number, source in enumerate(sources, 1):
        assert not notebook.run(cell_name(number), source).failures
    return LocalStudent(namespace)


def checks_of(task: str) -> dict[str, Check]:
    """Return a task's checks by id, in the order of their file."""
    module = importlib.import_module(f"autograder.assignments.consistency_models.checks.test_{task}")
    tests = {name.removeprefix("test_"): test for name, test in vars(module).items() if name.startswith("test_")}
    return {name: test for name, test in tests.items() if inspect.isfunction(test)}


def weight(check: Check) -> Fraction:
    """Return a check's weight."""
    (mark,) = [mark for mark in check.pytestmark if mark.name == "points"]  # type: ignore[attr-defined]
    return Fraction(mark.args[0])


def run(check: Check, student: Student, seed: int = SEED) -> Outcome:
    """Return what a check says of a student's functions: None when it holds."""
    hypothesis.seed(seed)(check)
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the answer's own
        try:
            check(student)
        except CheckFailed as failure:
            return failure
    return None


def outcomes(task: str, student: Student) -> dict[str, Outcome]:
    """Return what each check of a task says."""
    return {name: run(check, student) for name, check in checks_of(task).items()}


def kept(task: str, found: dict[str, Outcome]) -> float:
    """Return the points that are kept."""
    checks = checks_of(task)
    return float(sum(weight(checks[name]) for name, failure in found.items() if failure is None))


def reference_lines(task: str) -> list[str]:
    """Return the lines of a reference answer that say something, without the signature and the docstring."""
    _, _, body = reference_answers()[task].rpartition('"""')
    lines = [line.split("  #")[0].strip() for line in body.splitlines()]
    return [line for line in lines if len(line) > 8 and not line.startswith("#")]


@pytest.mark.parametrize("record", one_of_each(BANK))
def test_record_comes_to_what_it_says(record: Record) -> None:
    """A wrong answer loses what its record says, with that status and that misconception; a right one loses nothing."""
    student = student_of([source for _, source in cells(record, assignment())])
    found = outcomes(record.task, student)
    failed = {name: failure for name, failure in found.items() if failure is not None}
    for failure in failed.values():
        assert not any(line in failure.message for line in reference_lines(record.task))
        assert len(failure.message) < 400
    total = assignment().task(record.task).points
    if record.kind == "right" or record.quality:
        assert not failed, [failure.message for failure in failed.values()]
        return
    assert failed
    first = next(iter(failed.values()))
    assert first.misconception == record.misconception
    if record.status is not None:
        assert first.status.value == record.status
    if record.loses == "all":
        assert kept(record.task, found) == 0
    else:
        assert kept(record.task, found) < total
        assert not record.fails or tuple(failed) == record.fails
        assert record.keeps is None or kept(record.task, found) == record.keeps


# Wrong now and then: its own checks tell of that, upon which the judge stands in for it; a single call does not.
NOW_AND_THEN = {"wrong_at_every_seventh_call"}


@pytest.mark.parametrize("record", one_of_each([r for r in BANK if r.task == "noisy_sample"]))
def test_wrong_mixture_costs_the_pair_nothing(record: Record) -> None:
    """A training pair made by two calls of noisy_sample does not lose points for that function's mistake."""
    student = student_of([source for _, source in cells(record, assignment())])
    if record.name in NOW_AND_THEN:
        student.stand_in("noisy_sample", noisy_sample)
    assert not any(outcomes("consistency_training_pair", student).values())


@pytest.mark.parametrize("task", TASKS)
def test_reference_keeps_all_points(task: str) -> None:
    """The reference passes for any seed, and its task's weights add up to the notebook's points."""
    student = student_of(list(reference_answers().values()))
    for seed in range(5):
        for check in checks_of(task).values():
            assert run(check, student, seed) is None
    assert sum(weight(check) for check in checks_of(task).values()) == assignment().task(task).points


@pytest.mark.parametrize("task", TASKS)
def test_blank_earns_nothing(task: str) -> None:
    """An unfinished function is not attempted, by every check."""
    name = task
    student = student_of([f"def {name}(*arguments, **keywords):\n    raise NotImplementedError()"])
    assert {f.status if f else None for f in outcomes(task, student).values()} == {Status.NOT_ATTEMPTED}


@pytest.mark.parametrize("task", TASKS)
def test_handing_back_an_argument_earns_nothing(task: str) -> None:
    """Leaving the arguments alone is worth nothing while the values are wrong."""
    for result in ("arguments[0]", "arguments[-1]", "None", "arguments", "torch.zeros(())", "[]", "(None, None)"):
        student = student_of([f"def {task}(*arguments):\n    return {result}"])
        assert kept(task, outcomes(task, student)) == 0


@pytest.mark.parametrize("task", TASKS)
def test_what_only_the_box_reports_is_worth_a_fifth(task: str) -> None:
    """What only the box can report is worth at most a fifth of a task; it is what value=True does not mark."""
    checks = checks_of(task)
    reported = [c for c in checks.values() if not c.pytestmark[0].kwargs.get("value")]  # type: ignore[attr-defined]
    assert sum(weight(check) for check in reported) <= Fraction(assignment().task(task).points) / 5


def test_each_check_is_failed_alone_by_a_record() -> None:
    """A check that no record fails is not a check; one that fails alone for some record is needed beside the others."""
    for task in TASKS:
        alone = {record.fails for record in BANK if record.task == task}
        assert [name for name in checks_of(task) if (name,) not in alone] == []


def test_bank_is_as_large_as_it_should_be() -> None:
    """150 wrong answers and 60 right ones in other styles, five and three of each task; ten only quality can see."""
    count = {kind: sum(record.kind == kind for record in BANK) for kind in ("wrong", "right")}
    assert count["wrong"] >= 150
    assert count["right"] >= 60
    for task in TASKS:
        assert sum(record.task == task and record.kind == "wrong" for record in BANK) >= 5
        assert sum(record.task == task and record.kind == "right" for record in BANK) >= 3
    assert sum(bool(record.quality) for record in BANK) >= 10


def odd_values() -> list[Any]:
    """Return what a box may send in the place of a result."""
    tensors = [torch.tensor(1.0), torch.zeros(0), torch.full((3, 2), torch.nan), torch.full((3, 2), torch.inf)]
    tensors += [torch.zeros(3, 2, dtype=kind) for kind in (torch.float16, torch.float64, torch.int64, torch.bool)]
    tensors += [torch.full((2, 2), 3e38), torch.tensor(torch.nan), torch.zeros(2, 3, 2), torch.tensor(7)]
    plain = [None, True, 3, 2.5, "text", [], (), {}, [1.0], (None, None), {"x": 1}, 10**12]
    return [*tensors, *plain, (tensors[2], tensors[3]), [tensors[0], "x"], (tensors[4], tensors[6])]


@pytest.mark.parametrize(
    ("mixture", "pair"),
    [
        (
            "t[:, None] * x_0 + (1 - t[:, None]) * epsilon",
            "torch.stack([noisy_sample(x_0, epsilon, t_n1), noisy_sample(x_0, epsilon, t_n)])",
        ),
        (
            "(1 - t[0]) * x_0 + t[0] * epsilon",
            "noisy_sample(x_0.repeat(2, 1), epsilon.repeat(2, 1), torch.cat([t_n1, t_n])).chunk(2)",
        ),
    ],
)
def test_wrong_mixture_costs_a_pair_nothing_however_it_is_called(mixture: str, pair: str) -> None:
    """Stacked, or made by one call for both levels, it is the work of the wrong noisy_sample as well."""
    student = student_of(
        [
            f"def noisy_sample(x_0, epsilon, t):\n    return {mixture}",
            f"def consistency_training_pair(x_0, epsilon, t_n1, t_n):\n    return {pair}",
        ]
    )
    assert not any(outcomes("consistency_training_pair", student).values())


@pytest.mark.parametrize(
    "switch", ["torch.set_grad_enabled(False)", "leaves.mode = torch.inference_mode(); leaves.mode.__enter__()"]
)
def test_gradients_that_a_call_leaves_off_are_on_for_the_next_one(switch: str) -> None:
    """It is told of the call that did it, and no other function pays for it, alone or in a round."""
    student = student_of(
        [f"def leaves(x):\n    {switch}\n    return x", "def asks(x):\n    return torch.is_grad_enabled()"]
    )
    assert student.call("leaves", torch.zeros(1)).gradients_off
    reply = student.call("asks", torch.zeros(1))
    assert (reply.value, reply.gradients_off) == (True, False)
    one = Rows(torch.zeros(1, 1))
    assert student.rounds([Call("leaves", (one,)), Call("asks", (one,))], 1)[1] == [True]


class OddStudent(Student):
    """Answers every call with the same odd value, and with odd arguments."""

    def __init__(self, value: Any, arguments: list[Any]) -> None:
        super().__init__()
        self.value, self.arguments = value, arguments

    def call(self, function: str, *args: Any, **keywords: Any) -> Reply:
        """Return the odd reply, whatever is called."""
        for probe in (a for a in args if hasattr(a, "ask")):
            probe.ask(self.value, self.value)
        kind = "Tensor" if isinstance(self.value, torch.Tensor) else type(self.value).__name__
        return Reply(self.value, kind, True, self.arguments, True, True, [])

    def request(self, message: Any, answer: Any) -> Any:
        """Ignore seeds."""

    def place(self, function: str) -> Any:
        """Name nothing."""

    def undefined(self, function: str) -> Any:
        """Have every function."""


@pytest.mark.parametrize("task", TASKS)
def test_odd_replies_are_verdicts(task: str) -> None:
    """Whatever a box sends, a check fails with a sentence, never with an error of its own, and none is passed."""
    state = ModelState({"weight": torch.zeros(2)}, {}, {"weight": None}, graph=True, replaced=False)
    for value in odd_values():
        for arguments in ([], [None] * 6, [state] * 6, [torch.tensor(torch.nan)] * 6):
            found = outcomes(task, OddStudent(value, arguments))
            assert all(isinstance(failure, CheckFailed) and failure.message for failure in found.values())


def test_state_has_the_notebook_s_names_and_shapes() -> None:
    """The weights that checks make up fit the notebook's class."""
    network = prelude()["ConsistencyModel"](hidden_dim=8)
    made = {name: value.shape for name, value in consistency_state(Draw(1), 8).items()}
    assert made == {name: value.shape for name, value in network.state_dict().items()}


def test_affine_map_is_the_box_s() -> None:
    """The closed form of an affine map is what the box computes."""
    from autograder.box.models import Affine

    draw = Draw(2)
    known = AffineMap(draw.normal(3, 3), draw.normal(3), draw.normal(3))
    network = Affine(3)
    network.load_state_dict(known.state)
    x, t = draw.normal(5, 3), draw.times(5)
    assert known.at(x, t).matches(network(x, t))
    assert known.at(x, t).matches(network(x, t[:, None]))


def test_noise_tests_tell_noise_from_the_rest() -> None:
    """Gaussian noise passes, whatever draws it; what is not Gaussian, shared or scaled does not."""
    rng = np.random.default_rng(5)
    for seed in range(50):
        draw = Draw(seed + 1)
        noise = draw.normal(MANY, 2).double()
        assert is_gaussian(noise)
        assert rows_differ(noise)
        assert is_unrelated(noise, draw.normal(MANY, 2).double())
    noise = torch.tensor(rng.standard_normal((MANY, 2)))
    uniform = torch.tensor(rng.uniform(-(3**0.5), 3**0.5, (MANY, 2)))
    for odd in (uniform, 0.9 * noise, noise + 0.1, noise[:1].expand(MANY, 2), torch.full((MANY, 2), torch.nan)):
        assert not is_gaussian(odd)
    assert not rows_differ(noise[:, :1].expand(MANY, 2))
    assert not rows_differ(noise[: MANY // 2].repeat(2, 1))
    assert not rows_differ(torch.cat([noise[: MANY // 2], -noise[: MANY // 2]]))
    assert not is_unrelated(noise, noise + torch.tensor(rng.standard_normal((MANY, 2))))
    assert not rows_differ(torch.cat([noise[: MANY // 2], 0.1 * noise[MANY // 2 :] - 0.995 * noise[: MANY // 2]]))
    assert not is_gaussian(noise * torch.tensor([1.15, 0.823]))


def test_few_numbers_are_enough_to_see_what_is_zero_or_shared() -> None:
    """For any number of rows and jumps fresh noise passes, and noise that is zero, scaled up or shared does not."""
    draw = Draw(7)
    for rows, jumps in ((1, 1), (1, 3), (2, 19), (3, 2), (700, 4), (MANY, 1)):
        noises = [draw.normal(rows, 2).double() for _ in range(jumps)]
        assert are_fresh(noises)
        assert not are_fresh([0 * noise for noise in noises])
        assert not are_fresh([noise[:, :1].expand(rows, 2) for noise in noises])
        assert not are_fresh([20 * noise for noise in noises])
        assert rows == 1 or not are_fresh([noise[:1].expand(rows, 2) for noise in noises])
        assert jumps == 1 or not are_fresh(noises[:1] * jumps)


def test_tails_of_a_sum_of_squares_are_exact() -> None:
    """The bounds of a sum of few squares and of many are those of the chi-squared distribution."""
    half = 2 * math.log(2 / FALSE_ALARM)  # with two numbers, half the sum is exponential
    for numbers, fits in (([half**0.5 * 0.99, 0.0], True), ([half**0.5 * 1.01, 0.0], False), ([3e-5, 0.0], False)):
        assert has_size(torch.tensor(numbers, dtype=torch.float64)) == fits
    for n in (100, 10_000, 120_000):
        for sign in (-1, 1):
            # Wilson and Hilferty's cube root is normal to a few hundredths of a deviation; 6.1 of them lie at 1e-9.
            for deviations, fits in ((5.9, True), (6.3, False)):
                size = n * (1 - 2 / (9 * n) + sign * deviations * (2 / (9 * n)) ** 0.5) ** 3
                assert has_size(torch.full((n,), (size / n) ** 0.5, dtype=torch.float64)) == fits
