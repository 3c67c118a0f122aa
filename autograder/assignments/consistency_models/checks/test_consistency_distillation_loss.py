"""Hidden checks of consistency_distillation_loss: 20 points, 4 of them for what only the box can report."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from autograder.assignments.consistency_models.checks import oracles, sentences
from autograder.assignments.consistency_models.checks.oracles import AffineMap
from autograder.assignments.consistency_models.checks.strategies import LARGE, Draw, adjacent_levels, repeated
from autograder.assignments.consistency_models.misconceptions import KNOWN
from autograder.checking import (
    Expected,
    Misconception,
    Probe,
    Reply,
    Student,
    close,
    contract,
    expect,
    inputs,
    match,
    points,
    wrong,
)

TASK = "consistency_distillation_loss"
ELSE = (
    "The loss is not the mean squared difference of the two networks' outputs. "
    "Which network sees which point at which time, and what is averaged over?"
)


@dataclass(frozen=True)
class Batch:
    """What the loss is called with: two affine networks and the points."""

    online: AffineMap
    target: AffineMap
    x_tn1: Tensor
    t_n1: Tensor
    x_hat_tn: Tensor
    t_n: Tensor

    @staticmethod
    def drawn(
        draw: Draw, rows: int, dimension: int, times: tuple[Tensor, Tensor] | None = None, scale: float = 1.0
    ) -> Batch:
        """Return random networks and points of a scale, with these times or, in each row, with ones of its own."""
        t_n1, t_n = draw.neighbours(rows) if times is None else times

        def network() -> AffineMap:
            return AffineMap(draw.normal(dimension, dimension), draw.normal(dimension), 2 * draw.normal(dimension))

        x_tn1, x_hat_tn = scale * draw.normal(rows, dimension), scale * draw.normal(rows, dimension)
        return Batch(network(), network(), x_tn1, t_n1, x_hat_tn, t_n)

    @property
    def output(self) -> Expected:
        """What the online network says, (B, D)."""
        return self.online.at(self.x_tn1, self.t_n1)

    @property
    def label(self) -> Expected:
        """What the target says, (B, D)."""
        return self.target.at(self.x_hat_tn, self.t_n)

    @property
    def points(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The arguments after the networks."""
        return self.x_tn1, self.t_n1, self.x_hat_tn, self.t_n


def compare(student: Student, batch: Batch) -> Reply:
    """Call the answer and compare the loss with the closed form; raises CheckFailed, else returns the reply."""
    reply = expect.call(student, TASK, batch.online.model(), batch.target.model(), *batch.points, backward=True)
    got = reply.value
    if isinstance(got, Tensor) and got.shape != () and (known := recognised(got, batch)) is not None:
        raise contract(known.message, known.id)  # a known mistake in how the numbers come together
    loss = expect.tensor(reply, (), TASK)
    expected = oracles.squared_distance(batch.output, batch.label)
    close(loss, expected, ELSE, lambda: recognised(loss, batch))
    return reply


def recognised(got: object, batch: Batch) -> Misconception | None:
    """Return the known mistake that gives this result."""
    return match(
        KNOWN[TASK],
        got,
        online=lambda x, t: batch.online.at(x, t).value,
        target=lambda x, t: batch.target.at(x, t).value,
        x_tn1=batch.x_tn1,
        t_n1=batch.t_n1,
        x_hat_tn=batch.x_hat_tn,
        t_n=batch.t_n,
    )


@points(5, value=True)
@inputs.each_seed(2)
def test_values(student: Student, seed: int) -> None:
    """The loss is the mean squared difference of the two outputs."""
    draw = Draw(seed)
    # Some come twice: nothing may be left of a call when the next one has as many rows.
    for rows in (8, 3, 3, 1000, 1000):
        compare(student, Batch.drawn(draw, rows, 2))
    with expect.only_here(lambda: compare(student, Batch.drawn(draw, 8, 2)), sentences.RANGE):
        compare(student, Batch.drawn(draw, 9, 2, scale=LARGE))


@points(2, value=True)
@inputs.each_seed(1)
def test_networks(student: Student, seed: int) -> None:
    """Each network, whatever it is, sees its own point at its own time."""
    draw = Draw(seed)
    for rows in (2, 5):
        x_tn1, x_hat_tn, (t_n1, t_n) = draw.normal(rows, 2), draw.normal(rows, 2), draw.neighbours(rows)
        reply = expect.call(student, TASK, Probe(oracles.wavy), Probe(answer_of_target), x_tn1, t_n1, x_hat_tn, t_n)
        output, label = oracles.wavy(x_tn1, t_n1).double(), answer_of_target(x_hat_tn, t_n).double()
        expected = oracles.squared_distance(Expected(output, output.abs()), Expected(label, label.abs()))
        close(expect.tensor(reply, (), TASK), expected, ELSE)


def answer_of_target(x: Tensor, t: Tensor) -> Tensor:
    """Return another map than the online network's."""
    return 1 + 0.7 * oracles.wavy(x, t)


@points(3, value=True)
@inputs.each_seed(1)
def test_batch_sizes_and_dimensions(student: Student, seed: int) -> None:
    """Any number of rows and of coordinates, and times that occur more than once, are legal."""
    draw = Draw(seed)
    with expect.only_here(lambda: compare(student, Batch.drawn(draw, 8, 2)), sentences.SIZES):
        for rows, dimension in ((1, 2), (2, 2), (512, 2), (600, 2), (3, 3), (1, 1), (2, 5), (5, 4)):
            compare(student, Batch.drawn(draw, rows, dimension))
    with expect.only_here(lambda: compare(student, Batch.drawn(draw, 8, 2)), sentences.TIMES):
        t_n1, t_n = draw.neighbours(6)
        for times in ((repeated(t_n1), repeated(t_n)), adjacent_levels(40)):
            compare(student, Batch.drawn(draw, len(times[0]), 2, times))


@points(6, value=True)
@inputs.each_seed(2)
def test_gradient(student: Student, seed: int) -> None:
    """The gradient reaches every parameter of the online network."""
    draw = Draw(seed)
    for rows, dimension in ((1, 2), (4, 2), (300, 2), (3, 3)):
        batch = Batch.drawn(draw, rows, dimension)
        reply = compare(student, batch)
        if not reply.requires_grad:
            raise wrong(
                "The loss has the right value but no gradient, so nothing can learn from it; where is the graph cut?",
                "no_gradient",
            )
        check_gradient(expect.model(reply, 0, "online").grad, batch)


def check_gradient(grad: dict[str, Tensor | None], batch: Batch) -> None:
    """Raise unless the online network's gradient is that of the closed form."""
    expected = oracles.affine_gradient(batch.x_tn1, batch.t_n1, batch.output, batch.label)
    for name, derivative in expected.items():
        got = grad.get(name)
        if got is None:
            raise wrong("The gradient does not reach every parameter of online; where is the graph cut?", "no_gradient")
        if not derivative.matches(expect.finite(got, tuple(derivative.value.shape), "the gradient of online")):
            raise wrong(
                "The loss has the right value but another gradient by online's parameters; "
                "is every part of the sum computed from the network's output, with its graph?"
            )


@points(3)
@inputs.each_seed(1)
def test_stopped_gradient(student: Student, seed: int) -> None:
    """No gradient reaches the target, even if the target's parameters ask for one."""
    draw = Draw(seed)
    batches = [Batch.drawn(draw, *size) for size in ((4, 2), (1, 2), (300, 2), (3, 3))]
    for batch, reply in expect.right_ones(lambda batch: compare(student, batch), batches):
        if not reply.requires_grad and batch is batches[0]:
            raise wrong(
                "The loss has no gradient at all, so nothing can learn from it; where is the graph cut?", "no_gradient"
            )
        grads = expect.model(reply, 1, "target").grad.values()
        if any(grad is not None and bool((grad != 0).any()) for grad in grads):
            raise wrong(
                "A gradient flows into the target. "
                "What could the target do to make the loss small, if it were allowed to?",
                "gradient_through_target",
            )


@points(1)
@inputs.each_seed(1)
def test_arguments(student: Student, seed: int) -> None:
    """The arguments and both networks' weights stay as they were."""
    draw = Draw(seed)
    names = ("x_tn1", "t_n1", "x_hat_tn", "t_n")
    batches = [Batch.drawn(draw, rows, 2) for rows in (4, 300)]
    for batch, reply in expect.right_ones(lambda batch: compare(student, batch), batches):
        expect.arguments_kept(reply, dict(enumerate(zip(names, batch.points, strict=True), 2)))
        expect.weights_kept(expect.model(reply, 0, "online"), batch.online.state, "online")
        expect.weights_kept(expect.model(reply, 1, "target"), batch.target.state, "target")
