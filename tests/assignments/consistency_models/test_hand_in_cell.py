"""The notebook's last cell: what it says before a student hands in, with and without a file to look at."""

import contextlib
import io

import pytest

from autograder.platforms.student.check.cli import HIDDEN
from tests.notebooks import cell, reference_notebook, strip_metadata, write


def said(notebook, names):
    """Run the last cell in a namespace; return what it printed."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(notebook.cells[-1].source, "hand_in", "exec"), names)
    return printed.getvalue()


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """A notebook with one function unwritten, and an empty folder to run it in."""
    monkeypatch.chdir(tmp_path)
    stub = "def ema_update(online, target, decay):\n    raise NotImplementedError"
    wrong = "def noisy_sample(x_0, epsilon, t):\n    return x_0"
    return reference_notebook({"ema_update": stub, "noisy_sample": wrong})


@pytest.fixture
def names(notebook):
    """What the notebook defines, without its trainings."""
    defined: dict = {"__name__": "__main__"}
    for each in notebook.cells:
        role = each.metadata.get("nbgrader", {})
        if each.cell_type == "code" and (
            role.get("solution") or each.id == "guards" or "prelude" in each.metadata.get("tags", [])
        ):
            exec(compile(each.source, each.id, "exec"), defined)
    defined["teacher"] = defined["ToyModel"](8)
    return defined


def test_last_cell_runs_the_visible_checks_of_the_saved_file(notebook, names, tmp_path):
    """Each task with its sentence, what is unwritten, and who decides; the names of the notebook stay as they were."""
    write(notebook, tmp_path)
    before = set(names)
    text = said(notebook, names)
    assert "noisy_sample: does not hold: At t = 1 only noise is left" in text
    assert "ema_update: missing: it is not written yet." in text
    assert "teacher_ode_step: holds." in text
    assert "boundary_condition: does not hold: There is no trained model yet" in text
    assert "reflect_1 is still to be written; it is marked by hand." in text
    assert f"Not all of the visible checks hold yet; 62 of 100 points are {HIDDEN}" in text
    assert not {"x_0", "epsilon"} & (set(names) - before)


def test_last_cell_tells_a_test_cell_that_is_gone(notebook, names, tmp_path):
    """A deleted test cell is named."""
    notebook.cells.remove(cell(notebook, "test_ema_update"))
    write(notebook, tmp_path)
    assert "ema_update: its test cell is not in the file" in said(notebook, names)


def test_last_cell_without_a_file_says_which_functions_answer(notebook, names):
    """No file, no error: what can be known is told, and what was not looked at."""
    text = said(notebook, names)
    assert "noisy_sample: answers." in text
    assert "The saved file was not found from here" in text


@pytest.mark.parametrize("content", ["consistency_distillation_loss {", '["consistency_distillation_loss"]', "\0"])
def test_last_cell_never_errors_whatever_the_file_is(notebook, names, tmp_path, content):
    """A broken or foreign file ends in a sentence."""
    (tmp_path / "consistency-models.ipynb").write_text(content, encoding="utf-8")
    assert "Run each test cell above once more instead." in said(notebook, names)


def test_last_cell_of_a_file_without_metadata_says_so(notebook, names, tmp_path):
    """Colab and VS Code may drop it."""
    last = notebook.cells[-1].source
    write(strip_metadata(notebook), tmp_path)
    assert notebook.cells[-1].source == last
    assert "or an editor dropped its metadata" in said(notebook, names)


def test_last_cell_in_a_fresh_kernel_is_no_error(notebook, tmp_path):
    """Run first, before anything is defined, it still ends in sentences."""
    write(notebook, tmp_path)
    text = said(notebook, {"__name__": "__main__"})
    assert "noisy_sample: not looked at: the cell that defines torch has not been run." in text
    assert "NameError" not in text


def test_last_cell_says_which_cell_has_not_been_run(notebook, names, tmp_path):
    """A function whose cell was not run is told apart from one that is wrong, and from a slip inside it."""
    write(notebook, tmp_path)
    del names["teacher_ode_step"]
    exec("def consistency_distillation_loss(*arguments):\n    return vanished", names)
    text = said(notebook, names)
    assert "teacher_ode_step: not looked at: the cell that defines teacher_ode_step has not been run. Run it" in text
    assert "consistency_distillation_loss: raises NameError: name 'vanished' is not defined" in text
