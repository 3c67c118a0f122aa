"""The proof of a release: each way in which a release can be wrong is found in a release made wrong that way."""

import copy
from pathlib import Path

import pytest
from nbformat.v4 import new_output

from autograder.course import find_assignment
from autograder.errors import ReleaseFault
from autograder.release.proof import prove_release
from autograder.release.source_check import read_notebook, regions
from tests.notebooks import NAME
from tests.sample_class import cell_of

COURSE = Path(__file__).parents[2]
SOURCE = read_notebook(find_assignment(COURSE).source)
RELEASED = read_notebook(find_assignment(COURSE).released / f"{NAME}.ipynb")
ANSWER_LINE = "p_target.mul_(decay).add_(p_online, alpha=1 - decay)"
SECRETS = [line.strip() for cell in SOURCE.cells for region in regions(cell.source)[0] for line in region.lines]
COMMENT = next(line for line in SECRETS if line.startswith("# ") and len(line) > 40).removeprefix("# ")
RETURNED = next(line for line in SECRETS if line.startswith("return ") and len(line) > 30).removeprefix("return ")


def faults_after(change):
    """Return what the proof says of the committed release after `change` was made to a copy of it."""
    released = copy.deepcopy(RELEASED)
    change(released)
    with pytest.raises(ReleaseFault) as caught:
        prove_release(SOURCE, released)
    return str(caught.value)


def test_release_as_committed_is_proved():
    """The proof holds for the release that students get."""
    prove_release(SOURCE, RELEASED)


def test_answer_line_that_the_tests_plant_is_one():
    """The line that the next tests plant really stands in the answer."""
    assert ANSWER_LINE in SECRETS


def _in_markdown(notebook):
    notebook.cells[0].source += f"\n\n    {ANSWER_LINE}"


def _in_other_code(notebook):
    cell_of(notebook, "guards").source += f"\n\ndef hint():\n    {ANSWER_LINE}  # so it goes"


def _respaced(notebook):
    cell_of(notebook, "guards").source += "\n# p_target.mul_( decay ).add_(p_online,\n#    alpha = 1-decay)".replace(
        "#", ""
    )


def _in_metadata(notebook):
    notebook.metadata["history"] = [{"cell": ANSWER_LINE}]


def _value_alone(notebook):
    notebook.cells[0].source += f"\nx = {RETURNED}"


def _comment_alone(notebook):
    notebook.cells[0].source += f"\n{COMMENT}"


@pytest.mark.parametrize(
    "change", [_in_markdown, _in_other_code, _respaced, _in_metadata, _value_alone, _comment_alone]
)
def test_answer_line_anywhere_is_found(change):
    """A line of an answer is found in text, in other code, spaced otherwise, in metadata; its value and comment too."""
    assert "a line of SOLUTION of cell '" in faults_after(change)


def test_hidden_test_line_is_found():
    """A line of a hidden test is found."""

    def change(notebook):
        cell_of(notebook, "test_ema_update").source += '\nmark("ema_update")'

    assert "a line of HIDDEN TESTS of cell 'test_ema_update'" in faults_after(change)


def _outputs(notebook):
    cell_of(notebook, "setup").outputs = [new_output("stream", text="hello")]


def _counted(notebook):
    cell_of(notebook, "setup").execution_count = 3


def _marker(notebook):
    cell_of(notebook, "setup").source += "\n### END SOLUTION"


def _cell_gone(notebook):
    del notebook.cells[0]


def _cells_swapped(notebook):
    notebook.cells[0], notebook.cells[1] = notebook.cells[1], notebook.cells[0]


def _same_grade_id(notebook):
    cell_of(notebook, "two_moons").metadata.nbgrader.grade_id = "setup"


def _invalid(notebook):
    notebook.cells[0]["colour"] = "red"


def _old_schema(notebook):
    cell_of(notebook, "setup").metadata.nbgrader.schema_version = 2


def _editable(notebook):
    del cell_of(notebook, "setup").metadata["editable"]


def _deletable(notebook):
    del cell_of(notebook, "ema_update").metadata["deletable"]


def _no_checksum(notebook):
    del cell_of(notebook, "test_ema_update").metadata.nbgrader["checksum"]


def _attachment(notebook):
    notebook.cells[0]["attachments"] = {"a.png": {"image/png": "AAAA"}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_outputs, "has outputs or an execution count"),
        (_counted, "has outputs or an execution count"),
        (_marker, "still has a marker"),
        (_cell_gone, "not those of the source"),
        (_cells_swapped, "not those of the source"),
        (_same_grade_id, "the grade_id 'setup' is used 2 times"),
        (_invalid, "not a valid notebook"),
        (_old_schema, "Outdated schema version"),
        (_editable, "is locked but can be edited"),
        (_deletable, "can be deleted"),
        (_no_checksum, "has no checksum"),
        (_attachment, "has an attachment"),
    ],
)
def test_form_of_the_release_is_looked_at(change, said):
    """A release that is not a clean, valid student version is refused."""
    assert said in faults_after(change)


def test_stub_that_does_not_raise_a_friendly_error_is_found():
    """An answer cell must say in a sentence that it is not written yet, whatever it is called with."""
    wrong = {
        "noisy_sample": "def noisy_sample(x_0, epsilon, t):\n    pass",
        "teacher_ode_step": "def teacher_ode_step(teacher, *x):\n    raise NotImplementedError",
        "ema_update": "def ema_update(online, target, decay):\n    assert 0 < decay < 1\n    raise NotImplementedError",
        "consistency_training_pair": "def consistency_training_pair(:",
    }

    def change(notebook):
        for grade_id, source in wrong.items():
            cell_of(notebook, grade_id).source = source

    said = faults_after(change)
    assert "calling noisy_sample returns" in said
    assert "calling teacher_ode_step raises NotImplementedError without a sentence" in said
    assert "calling ema_update says \"TypeError: '<' not supported" in said
    assert "calling consistency_training_pair says 'SyntaxError" in said
    assert "consistency_distillation_loss" not in said
