"""The source notebook at work: a whole run, a run without answers, and the guards."""

import re

import nbclient
import nbformat
import pytest
import torch
from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions
from traitlets.config import Config

from autograder.platforms.student.check.cli import HIDDEN
from tests.assignments.consistency_models.test_notebook import NOTEBOOK, SIGNATURES

STUB = 'raise NotImplementedError("not written yet")'


@pytest.fixture
def notebook():
    """The source notebook, a fresh copy."""
    return nbformat.read(NOTEBOOK, as_version=4)


def without_hidden_parts(notebook, solutions=True):
    """Return a copy without hidden tests and, if asked, with stubs in place of answers."""
    config = Config({"ClearSolutions": {"code_stub": {"python": STUB}}})
    copy, _ = ClearHiddenTests().preprocess(notebook, {})
    if not solutions:
        copy, _ = ClearSolutions(config=config).preprocess(copy, {})
    return copy


def execute(notebook, folder):
    """Run a notebook in a fresh kernel."""
    client = nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}})
    return client.execute()


def printed(cell):
    """Return all that a cell printed."""
    return "".join(o.get("text", "") for o in cell.outputs if o.output_type == "stream" and o.name == "stdout")


@pytest.mark.full
@pytest.mark.slow
def test_notebook_runs_and_its_printed_claims_hold(notebook, tmp_path):
    """The whole notebook runs without an error, and what it prints is what its text says."""
    shown = without_hidden_parts(notebook)
    nbformat.write(shown, tmp_path / NOTEBOOK.name)  # where its last cell finds it
    done = execute(shown, tmp_path)
    text = {cell.id: printed(cell) for cell in done.cells if cell.cell_type == "code"}

    assert "\nThe visible checks hold; 100 of 100 points are decided by hidden checks" in text["hand_in"]
    assert text["hand_in"].endswith(f"{HIDDEN}\n")

    gaps = [line.split() for line in text["ex1_five_points"].splitlines()[3:]]
    assert len(gaps) == 5
    assert all(float(row[-2]) == 0.0 and 0.0 < float(row[-1]) < 0.05 for row in gaps)
    shrinking = [float(line.split()[1]) for line in text["ex1_steps"].splitlines()[1:]]
    assert shrinking == sorted(shrinking, reverse=True)
    assert shrinking[-1] < shrinking[0] / 5

    curves = [line.split() for line in text["distance_curve"].splitlines()]
    walk = dict(zip(curves[0][2:], map(float, curves[1][1:]), strict=True))
    jump = dict(zip(curves[2][2:], map(float, curves[3][2:]), strict=True))
    assert jump["1"] < walk["5"]
    with_teacher, without = (float(n) for n in re.findall(r"\d\.\d{3}", text["bonus_run"]))
    assert with_teacher < without
    sweep = {line.split()[0]: float(line.split()[2]) for line in text["ema_sweep"].splitlines()[1:]}
    assert sweep["0.9"] < 0.5 < 1.0 < sweep["0.999"]


@pytest.mark.full
@pytest.mark.slow
def test_blank_release_stops_at_the_first_todo_with_a_sentence(notebook, tmp_path):
    """Without answers the notebook runs up to the first test cell, which says what is missing."""
    blank = without_hidden_parts(notebook, solutions=False)
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="not written yet"):
        execute(blank, tmp_path)
    stopped = [c.id for c in blank.cells if any(o.output_type == "error" for o in c.get("outputs", []))]
    assert stopped == ["test_noisy_sample"]


@pytest.mark.parametrize("missing", ["noisy_sample", "teacher_ode_step", "consistency_distillation_loss", "ema_update"])
def test_guard_names_the_unfinished_function(notebook, missing):
    """The guard before the training names the function that is missing or raises an error, and no other."""
    by_id = {cell.id: cell for cell in notebook.cells}
    names: dict = {"__name__": "student"}
    prelude = [c for c in by_id.values() if "prelude" in c.metadata.get("tags", [])]
    answers = [by_id[task] for task in SIGNATURES]
    for cell in [*prelude, *answers, by_id["guards"]]:
        exec(compile(cell.source, cell.id, "exec"), names)
    names["teacher"] = names["ToyModel"](8)
    exec(by_id["guard_training"].source.replace("print", "str"), names)  # complete: says nothing

    def stub(*arguments):
        raise NotImplementedError

    names[missing] = stub
    with pytest.raises(NotImplementedError, match=rf"Finish first: {missing}\."):
        exec(by_id["guard_training"].source, names)

    def slip(*arguments):
        return vanished  # noqa: F821 - a name that is not defined

    names[missing] = slip
    with pytest.raises(RuntimeError, match=rf"{missing} raises NameError: name 'vanished' is not defined"):
        exec(by_id["guard_training"].source, names)


@pytest.mark.parametrize("returned", [None, False, torch.ones(3), [torch.ones(3)]])
def test_guard_takes_whatever_ema_update_returns(notebook, returned):
    """What ema_update returns does not matter: a tensor of several numbers, which has no truth value, neither."""
    names: dict = {"__name__": "student"}
    for cell in notebook.cells:
        if "prelude" in cell.metadata.get("tags", []) or cell.id in {"guards", *SIGNATURES}:
            exec(compile(cell.source, cell.id, "exec"), names)
    names["teacher"] = names["ToyModel"](8)
    ours = names["ema_update"]

    def updates_and_returns(online, target, decay):
        ours(online, target, decay)
        return returned

    names["ema_update"] = updates_and_returns
    names["require"]("ema_update")
