"""Slips in a source notebook, each of which must be named with its cell before anything is released."""

import copy
import json
from pathlib import Path

import pytest

from autograder.course import find_assignment
from autograder.errors import ReleaseFault
from autograder.release.source_check import check_source, read_notebook, regions
from tests.sample_class import cell_of

COURSE = Path(__file__).parents[2]
SOURCE = read_notebook(find_assignment(COURSE).source)
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
BEGIN_HIDDEN, END_HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"


def faults_after(change):
    """Return what is said of the source notebook after `change` was made to a copy of it."""
    notebook = copy.deepcopy(SOURCE)
    change(notebook)
    with pytest.raises(ReleaseFault) as caught:
        check_source(notebook)
    return str(caught.value).splitlines()


def named(grade_id):
    """Return how a message names the cell of that grade_id."""
    number = SOURCE.cells.index(cell_of(SOURCE, grade_id)) + 1
    return f"cell '{grade_id}' ({number} of {len(SOURCE.cells)})"


def test_source_as_committed_can_be_released():
    """The committed source has no fault."""
    check_source(SOURCE)


def test_source_as_committed_has_no_outputs():
    """The instructor's notebook is committed without outputs and execution counts."""
    code = [cell for cell in SOURCE.cells if cell.cell_type == "code"]
    assert not [cell.id for cell in code if cell.outputs or cell.execution_count is not None]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (BEGIN, "# begins here", "END SOLUTION without BEGIN SOLUTION; add the BEGIN line"),
        (END, "# ends here", "BEGIN SOLUTION without END SOLUTION; add the END line"),
        (BEGIN, f"{BEGIN}\n    {BEGIN}", "BEGIN SOLUTION inside a SOLUTION region"),
        (END, f"{END}\n    {END}", "END SOLUTION without BEGIN SOLUTION; add the BEGIN line"),
        (END, END_HIDDEN, "END HIDDEN TESTS inside a SOLUTION region"),
        (BEGIN, f"{BEGIN}\n    {BEGIN_HIDDEN}\n    {END_HIDDEN}", "BEGIN HIDDEN TESTS inside a SOLUTION region"),
    ],
)
def test_marker_unbalanced_or_nested_is_named_with_its_cell(old, new, said):
    """An unbalanced or nested marker is an error that names the cell and its number."""

    def change(notebook):
        cell = cell_of(notebook, "ema_update")
        cell.source = cell.source.replace(old, new)

    assert any(f"{named('ema_update')}: {said}" in fault for fault in faults_after(change))


def test_hidden_tests_left_open_are_named_with_their_cell():
    """Hidden tests without an end are an error, too."""

    def change(notebook):
        cell = cell_of(notebook, "test_ema_update")
        cell.source = cell.source.replace(END_HIDDEN, "")

    said = "BEGIN HIDDEN TESTS without END HIDDEN TESTS; add the END line"
    assert f"{named('test_ema_update')}: {said}" in faults_after(change)


@pytest.mark.parametrize(
    "line",
    [
        "### BEGIN SOLUTON",
        "### BEGINSOLUTION",
        "### Begin Solution",
        "## BEGIN SOLUTION",
        "#BEGIN SOLUTION",
        "### BEGIN SOLUTIONS",
        "### BEGIN SOLUTION: the mean",
        "x = 1  ### BEGIN SOLUTION",
        "<!-- BEGIN SOLUTION -->",
    ],
)
def test_marker_misspelt_is_shown_with_the_right_form(line):
    """What nearly is a marker is an error, whether nbgrader would take it for one or not."""
    found, faults = regions(f"x = 0\n{line}\n{END}")
    assert not found
    assert f"line 2, {line!r}, is no marker; write '### BEGIN SOLUTION'" in faults


@pytest.mark.parametrize("line", ["# the solution begins here", "### Solution", "## The end", "# BEGIN", ""])
def test_marker_is_not_seen_in_ordinary_comments(line):
    """A comment or a heading that merely speaks of solutions is no slip."""
    assert regions(line) == ([], [])


def test_regions_in_markdown_may_stand_in_html_comments():
    """A model answer in markdown is found between markers that Jupyter does not show."""
    found, faults = regions(f"Question\n<!-- {BEGIN} -->\nAnswer\n<!-- {END} -->")
    assert not faults
    assert [region.lines for region in found] == [("Answer",)]


def _grading(cell, /, **values):
    def change(notebook):
        cell_of(notebook, cell).metadata.nbgrader.update(values)

    return change


def _without_points(notebook):
    del cell_of(notebook, "test_ema_update").metadata.nbgrader["points"]


def _without_task(notebook):
    del cell_of(notebook, "test_ema_update").metadata["autograder"]


def _without_title(notebook):
    del cell_of(notebook, "test_ema_update").metadata["autograder"]["title"]


def _without_hidden(notebook):
    cell = cell_of(notebook, "test_ema_update")
    cell.source = cell.source.partition(BEGIN_HIDDEN)[0]


def _without_solution(notebook):
    cell = cell_of(notebook, "ema_update")
    cell.source = cell.source.replace(BEGIN, "").replace(END, "")


def _solution_in_given(notebook):
    cell_of(notebook, "toy_model").source += f"\n{BEGIN}\npass\n{END}"


def _hidden_in_given(notebook):
    cell_of(notebook, "toy_model").source += f"\n{BEGIN_HIDDEN}\npass\n{END_HIDDEN}"


@pytest.mark.parametrize(
    ("change", "grade_id", "said"),
    [
        (_grading("test_ema_update", grade_id="ema_update"), "ema_update", "is used 2 times"),
        (_grading("ema_update", schema_version=2), "ema_update", "Outdated schema version"),
        (_grading("ema_update", colour="red"), "ema_update", "'colour' was unexpected"),
        (_grading("reflect_1", grade=False), "reflect_1", "not marked as a grade cell"),
        (_grading("toy_model", locked=False), "toy_model", "a prelude cell must be a locked code cell"),
        (_grading("guards", locked=False), "guards", "a given code cell that is not locked"),
        (_grading("test_ema_update", locked=False), "test_ema_update", "must be graded and locked"),
        (_grading("test_ema_update", points=0), "test_ema_update", "without points"),
        (_grading("ema_update", grade_id="ema"), "ema", "that no test cell names"),
        (_grading("test_ema_update", grade_id="test_ema"), "test_ema", "must have the grade_id 'test_ema_update'"),
        (_without_points, "test_ema_update", "does not have points"),
        (_without_task, "test_ema_update", "without the metadata 'autograder'"),
        (_without_title, "test_ema_update", "without a title"),
        (_without_hidden, "test_ema_update", "without a HIDDEN TESTS region"),
        (_without_solution, "ema_update", "without a SOLUTION region"),
        (_solution_in_given, "toy_model", "a SOLUTION region in a cell that is no answer cell"),
        (_hidden_in_given, "toy_model", "a HIDDEN TESTS region in a cell that is no test cell"),
    ],
)
def test_metadata_slip_is_named_with_its_cell(change, grade_id, said):
    """Metadata that nbgrader refuses, or that would make a wrong release, are errors that name the cell."""
    assert any(said in fault for fault in faults_after(change) if f"'{grade_id}' (" in fault or "grade cell" in said)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda raw: raw["cells"][3].pop("id"), "cell '' (4 of"),
        (lambda raw: raw["cells"][3].update(id=raw["cells"][2]["id"]), "the id is used 2 times"),
        (lambda raw: raw.update(nbformat_minor=4), "format 4.4; save it in 4.5"),
        (lambda raw: raw.pop("cells"), "cannot be read as a notebook"),
    ],
)
def test_notebook_without_ids_of_its_own_is_refused(tmp_path, change, said):
    """A cell without an id of its own would get a random one at each build; other faults of the file are told too."""
    raw = json.loads(find_assignment(COURSE).source.read_text(encoding="utf-8"))
    change(raw)
    path = tmp_path / "notebook.ipynb"
    path.write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(ReleaseFault, match=said.replace("(", r"\(")):
        read_notebook(path)


@pytest.mark.parametrize("content", ["", "{", "[]", "<html>"])
def test_file_that_is_no_notebook_is_refused(tmp_path, content):
    """A file that is no notebook is a fault of the release, told in a sentence."""
    path = tmp_path / "notebook.ipynb"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ReleaseFault, match="cannot be read as a notebook"):
        read_notebook(path)


@pytest.mark.parametrize("key", ["needs", "calls"])
@pytest.mark.parametrize(
    ("named", "words"),
    [
        (["noisy"], "names 'noisy', which is no other task; there are boundary_condition, "),
        (["sample_quality"], "names 'sample_quality', which is no other task"),
        ("noisy_sample", "must be a list of tasks"),
    ],
)
def test_check_source_names_the_cell_that_depends_on_no_task(key, named, words):
    """A slip there would leave a mark as it was when what it depends on is marked again."""
    notebook = copy.deepcopy(SOURCE)
    cell_of(notebook, "test_sample_quality").metadata.autograder[key] = named
    with pytest.raises(ReleaseFault, match=rf"cell 'test_sample_quality' \(\d+ of \d+\): '{key}' {words}"):
        check_source(notebook)
