"""Whole notebooks as students hand them in: what their own cells do around right answers takes nothing from them."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder.judge.judge import Judge
from autograder.settings import Settings
from tests import notebooks
from tests.boxes import needs_bubblewrap

pytestmark = [*needs_bubblewrap, pytest.mark.xdist_group("whole_notebooks")]

USES_MIX = "def noisy_sample(x_0, epsilon, t):\n    return mix(x_0, epsilon, t[:, None])\n"
MIX = "def mix(a, b, t):\n    return (1 - t) * a + t * b\n"
SUM = """def ema_update(online, target, decay):
    with torch.no_grad():
        for a, b in list(zip(target.parameters(), online.parameters())):
            a.copy_(sum([decay * a, (1 - decay) * b]))
"""
MSE = """def consistency_distillation_loss(online, target, x_tn1, t_n1, x_hat_tn, t_n):
    with torch.no_grad():
        goal = target(x_hat_tn, t_n)
    return losses.mse_loss(online(x_tn1, t_n1), goal)
"""
OPTIMISER = "w = torch.nn.Parameter(torch.ones(2))\ntorch.optim.SGD([w], lr=0.1).step()"
MANY_THREADS = "torch.set_num_threads(4)\ntorch.ones(700, 700) @ torch.ones(700, 700)"
STEP = """def teacher_ode_step(teacher, x_tn1, t_n1, t_n):
    with torch.no_grad():
        v = teacher(x_tn1, t_n1)
        t = t_n1[:, None]
        return noisy_sample(x_tn1 - t * v, x_tn1 + (1 - t) * v, t_n)
"""
SWAPPED = "def noisy_sample(x_0, epsilon, t):\n    return t[:, None] * x_0 + (1 - t[:, None]) * epsilon\n"
ONE_EACH = "torch.cat([noisy_sample(x[None], e[None], s) for x, e, s in zip(x_0, epsilon, T)])"
PAIR = "def consistency_training_pair(x_0, epsilon, t_n1, t_n):\n    return {upper}, {lower}\n"


def pair(call: str) -> str:
    """Return an answer to the bonus that makes both of its points by this expression of `t`."""
    return PAIR.format(upper=call.replace("T", "t_n1"), lower=call.replace("T", "t_n"))


# Cells in front of the answer cell that is named, answers that differ from the reference's, the points.
OWN_CELLS = {
    "missing_device": ([("noisy_sample", "torch.set_default_device('cuda')")], {}, (100, 10)),
    "double_precision": ([("ema_update", "torch.set_default_dtype(torch.float64)")], {}, (100, 10)),
    "given_names": ([("noisy_sample", "nn = 3\nToyModel = time_column = None")], {}, (100, 10)),
    "builtins_below": ([("hand_in", "sum = zip = list = 0")], {"ema_update": SUM}, (100, 10)),
    "failing_import": ([("noisy_sample", "import google.colab\nimport torch.nn.functional as losses")],
                       {"consistency_distillation_loss": MSE}, (100, 10)),
    "written_and_run": ([("noisy_sample", "%%writefile own.py\n" + MIX), ("noisy_sample", "%run own.py")],
                        {"noisy_sample": USES_MIX},
                        (100, 10)),
    "optimiser": ([("noisy_sample", OPTIMISER)], {}, (100, 10)),
    "threads": ([("noisy_sample", MANY_THREADS)], {}, (100, 10)),
    "helper_below": ([("sample_consistency_multistep", MIX)],
                     {"noisy_sample": USES_MIX},
                     (100, 10)),
}  # fmt: skip
# An answer that calls another function is right where it is right with the student's own or with the judge's.
CALLING = {
    "syntax_error": ("def noisy_sample(x_0, epsilon, t)\n    return x_0", pair("noisy_sample(x_0, epsilon, T)"), ""),
    "not_written": ("def noisy_sample(x_0, epsilon, t):\n    raise NotImplementedError",
                    pair("noisy_sample(x_0, epsilon, T)"), STEP),
    "wrong": (SWAPPED, pair("noisy_sample(x_0, epsilon, T)"), STEP),
    "returns_a_pair": (SWAPPED.replace("epsilon\n", "epsilon, t\n"), pair("noisy_sample(epsilon, x_0, T)[0]"), ""),
    "returns_numpy": (SWAPPED.replace("return t[:", "return (t[:").replace("epsilon\n", "epsilon).numpy()\n"),
                      pair("torch.from_numpy(noisy_sample(epsilon, x_0, T))"), ""),
    "other_order": ("def noisy_sample(t, x_0, epsilon):\n    return (1 - t[:, None]) * x_0 + t[:, None] * epsilon\n",
                    pair("noisy_sample(T, x_0, epsilon)"), ""),
    "one_time_each": (SWAPPED, pair(ONE_EACH), ""),
}  # fmt: skip


def some(names: Iterable[str], *quick: str) -> list[Any]:
    """Return the names, those that are not `quick` as parameters of the long suite."""
    return [name if name in quick else pytest.param(name, marks=pytest.mark.full) for name in names]


SAMPLER = """def sample_consistency_multistep(model, n_samples, n_steps, sigma_min=0.002, sigma_max=1.0):
    with torch.no_grad():
        levels = torch.linspace(sigma_max, sigma_min, n_steps + 1)[:-1]
        x = model(torch.randn(n_samples, 2), levels[0].expand(n_samples))
        for s in levels[1:]:
            x = model({call}, s.expand(n_samples))
    return x
"""
NOISE, TIMES = "torch.randn(n_samples, 2)", "s.expand(n_samples)"
JUMPING = {
    "returns_a_pair": f"noisy_sample({NOISE}, x, {TIMES})[0]",
    "returns_numpy": f"torch.from_numpy(noisy_sample({NOISE}, x, {TIMES}))",
    "other_order": f"noisy_sample({TIMES}, x, {NOISE})",
    "wrong": f"noisy_sample(x, {NOISE}, s[None, None])",
    "not_written": f"noisy_sample(x, {NOISE}, s)",
}


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    """One warm judge."""
    with Judge(notebooks.assignment(), Settings()) as judge:
        yield judge


def points(judge: Judge, folder: Path, before: list[tuple[str, str]], answers: dict[str, str]) -> dict[str, float]:
    """Return the points of each task of the reference's notebook with these changes."""
    notebook = notebooks.reference_notebook(answers)
    for where, source in before:
        notebook = notebooks.add_code(notebook, source, where)
    report = judge.mark(notebooks.write(notebook, folder), "ada")
    return {task.id: task.score for task in report.tasks} | {"": report.score, "bonus": report.bonus}


@pytest.mark.parametrize("name", some(OWN_CELLS, "given_names", "failing_import"))
def test_own_cells_cost_a_right_answer_nothing(judge: Judge, tmp_path: Path, name: str) -> None:
    """Whatever they rebind, set, lack or start."""
    before, answers, expected = OWN_CELLS[name]
    found = points(judge, tmp_path, before, answers)
    assert (found[""], found["bonus"]) == expected


@pytest.mark.parametrize("name", some(CALLING, "syntax_error", "returns_a_pair"))
def test_mistake_costs_its_own_points_alone(judge: Judge, tmp_path: Path, name: str) -> None:
    """noisy_sample loses its points; who calls it loses none."""
    wrong, caller, step = CALLING[name]
    answers = {"noisy_sample": wrong, "consistency_training_pair": caller}
    answers |= {"teacher_ode_step": step} if step else {}
    answers |= {"sample_consistency_multistep": SAMPLER.format(call=JUMPING[name])} if name in JUMPING else {}
    found = points(judge, tmp_path, [], answers)
    assert found["noisy_sample"] < 10
    assert found[""] == 90 + found["noisy_sample"]
    assert found["bonus"] == 10
