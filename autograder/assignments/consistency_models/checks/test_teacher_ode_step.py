"""Hidden checks of teacher_ode_step: 18 points, 3 of them for what only the box can report."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.assignments.consistency_models.checks import oracles, sentences
from autograder.assignments.consistency_models.checks.oracles import AffineMap
from autograder.assignments.consistency_models.checks.strategies import (
    LARGE,
    SIGMA_MIN,
    Draw,
    adjacent_levels,
    repeated,
)
from autograder.assignments.consistency_models.misconceptions import KNOWN
from autograder.checking import (
    CheckFailed,
    Expected,
    Probe,
    Question,
    Reply,
    Status,
    Student,
    close,
    contract,
    expect,
    inputs,
    match,
    points,
    wrong,
)

TASK = "teacher_ode_step"
ELSE = (
    "The result is not where one Euler step of the teacher's ODE ends. "
    "Draw one point and its velocity: how far, and in which direction, does it move when the time falls "
    "from t_n1 to t_n?"
)


def random_teacher(draw: Draw, dimension: int) -> AffineMap:
    """Return an affine teacher whose velocity depends on the point and, strongly, on the time."""
    return AffineMap(draw.normal(dimension, dimension), draw.normal(dimension), 2 + draw.normal(dimension).abs())


def compare(student: Student, teacher: AffineMap, x_tn1: Tensor, t_n1: Tensor, t_n: Tensor) -> Reply:
    """Call the answer and compare it with the closed form; raises CheckFailed, else returns the reply."""
    reply = expect.call(student, TASK, teacher.model(), x_tn1, t_n1, t_n)
    got = expect.tensor(reply, tuple(x_tn1.shape), TASK)
    expected = oracles.euler_step(x_tn1, t_n1, t_n, teacher.at(x_tn1, t_n1))
    given = {"teacher": lambda x, t: teacher.at(x, t).value, "x_tn1": x_tn1, "t_n1": t_n1, "t_n": t_n}
    close(got, expected, ELSE, lambda: match(KNOWN[TASK], got, **given))
    return reply


def plain(student: Student, draw: Draw) -> None:
    """Compare in a usual case."""
    compare(student, random_teacher(draw, 2), draw.normal(8, 2), *draw.neighbours(8))


@points(6, value=True)
@inputs.each_seed(2)
def test_values(student: Student, seed: int) -> None:
    """Each row makes its own step along the teacher's velocity."""
    draw = Draw(seed)
    # Two rows of two coordinates come first: there a missing axis broadcasts in silence and can be named.
    # Some come twice: nothing may be left of a call when the next one has as many rows.
    for rows in (2, 3, 7, 7, 1000, 1000):
        compare(student, random_teacher(draw, 2), draw.normal(rows, 2), *draw.neighbours(rows))
    with expect.only_here(lambda: plain(student, draw), sentences.RANGE):
        compare(student, random_teacher(draw, 2), LARGE * draw.normal(9, 2), *draw.neighbours(9))


@points(4, value=True)
@inputs.each_seed(2)
def test_question(student: Student, seed: int) -> None:
    """The teacher, whatever it is, is asked exactly once, about the point and the time where the step begins."""
    draw = Draw(seed)
    for rows in (1, 4, 1000):
        x_tn1, (t_n1, t_n) = draw.normal(rows, 2), draw.neighbours(rows)
        teacher = Probe(oracles.wavy)
        try:
            reply = expect.call(student, TASK, teacher, x_tn1, t_n1, t_n)
        except CheckFailed as failure:
            if failure.status is Status.RUNTIME and teacher.questions:
                check_questions(teacher.questions, x_tn1, t_n1, t_n)  # says more, where the question was the reason
            raise
        check_questions(teacher.questions, x_tn1, t_n1, t_n)
        v = oracles.wavy(x_tn1, t_n1).double()
        got = expect.tensor(reply, (rows, 2), TASK)
        expected = oracles.euler_step(x_tn1, t_n1, t_n, Expected(v, v.abs()))
        if rows < 1000:  # how far so many rows move is what test_values asks
            close(got, expected, ELSE)


def network_could_answer(question: Question) -> bool:
    """Say whether a question holds points (B, D) and one time a row, as tensors of floating point numbers."""
    x, t = question.x, question.t
    return (
        isinstance(x, Tensor)
        and isinstance(t, Tensor)
        and x.ndim == 2
        and t.shape in ((len(x),), (len(x), 1))
        and x.is_floating_point()
        and t.is_floating_point()
    )


def check_questions(questions: list[Question], x_tn1: Tensor, t_n1: Tensor, t_n: Tensor) -> None:
    """Raise unless there is one question, at (x_tn1, t_n1)."""
    for question in questions:
        if not network_could_answer(question):
            raise contract(
                "The teacher should be asked with a tensor of points (B, D) and a tensor with one time a row, (B,) or "
                "(B, 1); which of the two has another type or shape?"
            )
    if len(questions) != 1:
        raise wrong(
            f"The teacher was asked {len(questions)} times, expected exactly once; "
            "how many velocities does one Euler step need?",
            "teacher_asked_twice" if len(questions) > 1 else None,
        )
    x, t = questions[0].x, questions[0].t.reshape(-1).double()
    if x.shape != x_tn1.shape or not bool(((x - x_tn1).abs() <= 1e-5 * (1 + x_tn1.abs())).all()):
        raise wrong("The teacher is asked about another point than x_tn1; where does the step begin?")
    if not bool(((t - t_n1.double()).abs() <= 1e-5).all()):
        at_lower = bool(((t - t_n.double()).abs() <= 1e-5).all())
        raise wrong(
            "The teacher is asked at another time than that of x_tn1; at which noise level does this point lie?",
            "teacher_at_lower_time" if at_lower else None,
        )


@points(3, value=True)
@inputs.each_seed(1)
def test_batch_sizes_and_dimensions(student: Student, seed: int) -> None:
    """Any number of rows and of coordinates is legal."""
    draw = Draw(seed)
    with expect.only_here(lambda: plain(student, draw), sentences.SIZES):
        for rows, dimension in ((1, 2), (2, 2), (512, 2), (600, 2), (3, 3), (1, 1), (2, 5), (5, 4)):
            compare(student, random_teacher(draw, dimension), draw.normal(rows, dimension), *draw.neighbours(rows))


@points(2, value=True)
@inputs.each_seed(1)
def test_ends_and_repeats(student: Student, seed: int) -> None:
    """Steps from t = 1, to t = 0, very small ones, and times that occur more than once are all legal."""
    draw = Draw(seed)
    t_n1, t_n = draw.neighbours(6)
    with expect.only_here(lambda: plain(student, draw), sentences.TIMES):
        for upper, lower in (
            (torch.ones(3), torch.zeros(3)),
            (torch.ones(4), draw.times(4)),
            (torch.full((3,), SIGMA_MIN), torch.zeros(3)),
            (repeated(t_n1), repeated(t_n)),
            adjacent_levels(40),
        ):
            compare(student, random_teacher(draw, 2), draw.normal(len(upper), 2), upper, lower)


@points(2)
@inputs.each_seed(1)
def test_no_gradient(student: Student, seed: int) -> None:
    """The result carries no gradient, even if the teacher's parameters ask for one."""
    draw = Draw(seed)

    def step(size: tuple[int, int]) -> Reply:
        rows, dimension = size
        return compare(student, random_teacher(draw, dimension), draw.normal(*size), *draw.neighbours(rows))

    for _, reply in expect.right_ones(step, ((4, 2), (1, 2), (600, 2), (3, 3))):
        if reply.requires_grad:
            raise contract(
                "The result still hangs on the teacher's graph, expected a tensor that asks for no gradient; "
                "who would ever train the teacher through it?",
                "graph_through_teacher",
            )


@points(1)
@inputs.each_seed(1)
def test_arguments(student: Student, seed: int) -> None:
    """The arguments and the teacher stay as they were."""
    draw = Draw(seed)
    given = [(random_teacher(draw, 2), draw.normal(rows, 2), *draw.neighbours(rows)) for rows in (4, 600)]
    for (teacher, x_tn1, t_n1, t_n), reply in expect.right_ones(lambda case: compare(student, *case), given):
        expect.arguments_kept(reply, {1: ("x_tn1", x_tn1), 2: ("t_n1", t_n1), 3: ("t_n", t_n)})
        after = expect.model(reply, 0, "the teacher")
        expect.weights_kept(after, teacher.state, "the teacher")
        if any(grad is not None for grad in after.grad.values()):
            raise contract(
                "After the call the teacher's parameters hold gradients, expected the teacher to stay as it is; "
                "what is there to learn from one step?"
            )
