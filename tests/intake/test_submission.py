"""What becomes of broken, odd and edited notebooks; numbers are rows of the battery."""

from __future__ import annotations

import json
import os
import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.intake.cells import MAX_CELLS
from autograder.intake.json_scanner import Scanner
from autograder.intake.submission import Submission, UnreadableFile, read_submission
from tests import notebooks

Edit = Callable[[nbformat.NotebookNode], object]


def read_bytes(folder: Path, data: bytes, name: str = notebooks.FILE) -> Submission:
    """Return the submission that these bytes are."""
    path = folder / name
    path.write_bytes(data)
    return read_submission(path, notebooks.assignment())


def read(folder: Path, notebook: nbformat.NotebookNode, name: str = notebooks.FILE) -> Submission:
    """Return the submission that this notebook is."""
    return read_submission(notebooks.write(notebook, folder, name), notebooks.assignment())


def reference_bytes() -> bytes:
    """Return the file of a right submission."""
    return nbformat.writes(notebooks.reference_notebook()).encode()


def sources(submission: Submission) -> list[str]:
    """Return the sources that run, in their order."""
    return [cell.source for cell in submission.cells]


def codes(submission: Submission) -> list[str]:
    """Return the codes of the notices."""
    return [notice.code for notice in submission.notices]


def unreadable(folder: Path, data: bytes, name: str = notebooks.FILE) -> str:
    """Return why these bytes cannot be read."""
    with pytest.raises(UnreadableFile) as caught:
        read_bytes(folder, data, name)
    assert caught.value.exit_code == 3
    assert str(folder) not in str(caught.value)
    return str(caught.value)


RIGHT = list(notebooks.reference_answers().values())


@pytest.mark.parametrize(
    "notebook", [notebooks.reference_notebook, notebooks.source_notebook], ids=["student's", "instructor's"]
)
def test_reference_is_read_without_a_notice(tmp_path: Path, notebook: Callable[[], nbformat.NotebookNode]) -> None:
    """The answers and nothing else are the student's own; hidden tests still in place are no change."""
    submission = read(tmp_path, notebook())
    assert [cell.grade_id for cell in submission.cells] == list(notebooks.reference_answers())
    assert submission.notices == ()
    assert all(len(numbers) == 1 for numbers in submission.answers.values())


@pytest.mark.parametrize("part", [0.01, 0.3, 0.5, 0.999])
def test_row_1_truncated_json_names_the_byte(tmp_path: Path, part: float) -> None:
    """A file that ends too early is named so, with the byte where it ends."""
    whole = reference_bytes()
    cut = whole[: int(len(whole) * part)]
    message = unreadable(tmp_path, cut)
    assert f"at byte {len(cut)}" in message
    assert "re-download and resubmit" in message


def test_row_2_empty_file_is_named(tmp_path: Path) -> None:
    """Zero bytes are unreadable."""
    assert "empty" in unreadable(tmp_path, b"")


@pytest.mark.parametrize(
    ("data", "looks"),
    [
        (b"<!DOCTYPE html><html><body>Please log in</body></html>", "web page"),
        (b"\n  <html>", "web page"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
        (b"PK\x03\x04\x14\x00", "zip"),
        (b"\x1f\x8b\x08\x00", "archive"),
        (b"\x89PNG\r\n\x1a\n\x00", "picture"),
        (b"\x80\x04\x95\x00", "pickle"),
        (b"\x00" * 4096, "zero bytes"),
        (b"import torch\n", "Python script"),
        (b"{\\rtf1\\ansi", "rich-text"),
        (b"[]", "JSON list"),
        (b"\xff\xfe\x00", "no JSON"),
        (b"hello", "no JSON"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_row_3_not_a_notebook_says_what_it_looks_like(tmp_path: Path, data: bytes, looks: str) -> None:
    """What is no notebook is named for what it is."""
    assert looks in unreadable(tmp_path, data)


@pytest.mark.parametrize("data", [b"{}", b'{"nbformat": 4}', b'{"cells": 3}', b'{"cells": [3]}', b'{"cells": [], }'])
def test_row_3_json_without_cells_is_unreadable(tmp_path: Path, data: bytes) -> None:
    """JSON that is no notebook is unreadable."""
    unreadable(tmp_path, data)


def test_row_4_old_nbformat_is_upgraded(tmp_path: Path) -> None:
    """Worksheets of nbformat 3 are read as they are."""
    old = nbformat.convert(notebooks.reference_notebook(), 3)
    assert "worksheets" in old
    submission = read_bytes(tmp_path, json.dumps(old).encode())
    assert sources(submission) == RIGHT
    assert submission.notices == ()


@pytest.mark.parametrize("version", [5, 99, "4", None, -1, 1e308])
def test_row_4_odd_version_is_read_all_the_same(tmp_path: Path, version: object) -> None:
    """Whatever the file says its version is, its cells are where they are."""
    content = json.loads(reference_bytes())
    content["nbformat"] = version
    assert sources(read_bytes(tmp_path, json.dumps(content).encode())) == RIGHT


texts = st.builds(str.__mul__, st.text('"\\[]{}, \n', max_size=6), st.sampled_from([1, 5, 60]))  # few and many escapes


@given(st.recursive(texts, lambda inner: st.lists(inner) | st.dictionaries(st.text("a"), inner)))
def test_strings_with_any_escapes_and_brackets_are_passed_over(value: object) -> None:
    """What looks like a bracket or an end inside a string is neither."""
    data = json.dumps(value).encode()
    assert Scanner(data).whole() == (0, len(data))


def test_row_5_duplicate_cell_ids_cost_nothing(tmp_path: Path) -> None:
    """nbformat's own cell ids may collide."""
    content = json.loads(reference_bytes())
    for each in content["cells"]:
        each["id"] = "same"
    submission = read_bytes(tmp_path, json.dumps(content).encode())
    assert sources(submission) == RIGHT
    assert submission.notices == ()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_row_6_byte_order_marks_and_wide_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    """A well-formed notebook is read in whatever Unicode encoding it was saved; a cut one names its byte."""
    whole = reference_bytes().decode().encode(encoding)
    assert sources(read_bytes(tmp_path, whole)) == RIGHT
    cut = whole[: len(whole) // 8 * 4]
    assert f"byte {len(cut)}" in unreadable(tmp_path, cut)


def test_row_6_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    """Latin-1 in a source is unreadable; in an output it does not matter."""
    notebook = notebooks.reference_notebook({"ema_update": "# MARK\n"})
    data = nbformat.writes(notebook).encode()
    assert "UTF-8" in unreadable(tmp_path, data.replace(b"MARK", b"M\xe4RK"))


def test_row_7_nul_in_source_is_kept(tmp_path: Path) -> None:
    """A zero byte is the cell's own syntax error, not the file's."""
    notebook = notebooks.reference_notebook({"ema_update": "def ema_update():\n    \x00pass"})
    assert "\x00" in read(tmp_path, notebook).cells[3].source
    raw = nbformat.writes(notebook).encode().replace(b"\\u0000", b"\x00")
    assert "\x00" in read_bytes(tmp_path, raw).cells[3].source


def test_row_7_lone_surrogate_can_be_encoded(tmp_path: Path) -> None:
    """Half a character in a cell or an id breaks nothing behind us."""
    raw = reference_bytes().replace(b"hard copy", b"").replace(b"In place", b"\\ud83d In place \\ud83d\\ude00")
    submission = read_bytes(tmp_path, raw)
    text = "".join(sources(submission))
    assert "\ufffd In place 😀" in text
    text.encode()


def test_row_8_huge_file_is_refused_unread(tmp_path: Path) -> None:
    """300 MB are refused by their size alone."""
    path = tmp_path / notebooks.FILE
    path.write_bytes(b"")
    os.truncate(path, 300 * 10**6)
    with pytest.raises(UnreadableFile, match="286 MiB; expected at most 64 MiB"):
        read_submission(path, notebooks.assignment())


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_row_8_deep_json_is_refused(tmp_path: Path, opening: bytes) -> None:
    """100,000 nested brackets are no recursion."""
    assert "nested" in unreadable(tmp_path, b'{"cells": ' + opening * 100_000)


def test_row_8_large_outputs_are_passed_over_in_bounded_memory(tmp_path: Path) -> None:
    """40 MiB of saved outputs cost nothing, and little more memory than the file."""
    content = json.loads(reference_bytes())
    figure = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "A" * (40 * 2**20)}}
    content["cells"][notebooks.index(notebooks.blank_notebook(), "setup")]["outputs"] = [
        figure,
        {"text": [['\\"{['] * 3] * 10_000},
    ]
    data = json.dumps(content).encode()
    path = tmp_path / notebooks.FILE
    path.write_bytes(data)
    tracemalloc.start()
    submission = read_submission(path, notebooks.assignment())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sources(submission) == RIGHT
    assert peak < 2.5 * len(data)


@pytest.mark.parametrize("filler", [b"[],", b'{"":0},', b'"",', b"1,", b'"\\"\\"\\"",'])
def test_row_8_many_small_values_take_no_memory(tmp_path: Path, filler: bytes) -> None:
    """Values that would take thirty times their text are passed over, not built."""
    data = b'{"cells": [{"outputs": [' + filler * (2**16 // len(filler)) + b"0]}]}"
    assert "another assignment" in unreadable(tmp_path, data)  # imports and caches are filled
    tracemalloc.start()
    unreadable(tmp_path, data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * len(data)


def test_row_8_too_many_values_are_refused(tmp_path: Path) -> None:
    """The number of values is bounded, and with it the time; the way out is to clear the outputs."""
    message = unreadable(tmp_path, b'{"cells": [{"outputs": [' + b"[]," * 2**21 + b"0]}]}")
    assert "500,000 values" in message
    assert "clear all outputs" in message


def test_row_8_too_many_cells_are_refused(tmp_path: Path) -> None:
    """The number of cells is bounded."""
    cell = b'{"cell_type": "code", "source": "1"},'
    assert f"{MAX_CELLS:,} cells" in unreadable(tmp_path, b'{"cells": [' + cell * 2 * MAX_CELLS + b"{}]}")


def test_row_8_too_much_code_is_refused(tmp_path: Path) -> None:
    """The text of the code cells is bounded."""
    notebook = notebooks.reference_notebook({"ema_update": "#" * 5 * 2**20})
    assert "MiB of text" in unreadable(tmp_path, nbformat.writes(notebook).encode())


def test_row_9_renamed_file_is_a_notice(tmp_path: Path) -> None:
    """Another name costs nothing and is mentioned."""
    submission = read(tmp_path, notebooks.reference_notebook(), "hw (1).ipynb")
    assert sources(submission) == RIGHT
    assert codes(submission) == ["renamed_file"]
    assert "'hw (1).ipynb'" in submission.notices[0].message


def test_row_9_unsafe_name_is_cleaned(tmp_path: Path) -> None:
    """Control and bidi characters of a name reach no message."""
    name = "a\u202eb\x1b[31m\nc" + "d" * 150 + ".ipynb"
    submission = read(tmp_path, notebooks.reference_notebook(), name)
    for text in (submission.file, submission.notices[0].message):
        assert not re.search("[\x00-\x1f\u202e]", text)


def test_row_11_wrong_assignment_names_both(tmp_path: Path) -> None:
    """Another assignment's notebook is unreadable; expected and found ids are named."""
    notebook = notebooks.reference_notebook()
    for each in notebook.cells:
        if "nbgrader" in each.metadata:
            each.metadata.nbgrader.grade_id = f"lora_{each.metadata.nbgrader.grade_id}"
        each.source = "x = 1"
    message = unreadable(tmp_path, nbformat.writes(notebook).encode())
    assert "'noisy_sample'" in message
    assert "'lora_" in message
    assert "resubmit" in message or "Hand in" in message


def test_row_11_notebook_without_answers_is_still_ours(tmp_path: Path) -> None:
    """Only test cells are left: not attempted, not another assignment."""
    notebook = notebooks.blank_notebook()
    notebook.cells = [c for c in notebook.cells if "nbgrader" not in c.metadata or not c.metadata.nbgrader.solution]
    submission = read(tmp_path, notebook)
    assert submission.cells == ()
    assert set(submission.answers.values()) == {()}


@pytest.mark.parametrize("marker", ["<<<<<<< HEAD\n", "<<<<<<<\n"])
def test_row_13_merge_markers_in_json_are_named(tmp_path: Path, marker: str) -> None:
    """A conflict in the file is unreadable and named; one inside a cell is that cell's syntax error."""
    data = reference_bytes().decode().replace('"nbformat"', f"\n{marker}" + '"nbformat"').encode()
    assert "Git conflict" in unreadable(tmp_path, data)
    inside = notebooks.reference_notebook({"ema_update": "<<<<<<< HEAD\ndef ema_update():"})
    assert read(tmp_path, inside).cells[3].source.startswith("<<<<<<<")


def test_row_14_stripped_metadata_is_found_by_names(tmp_path: Path) -> None:
    """Without any metadata the answers are found, and given cells are known by their text."""
    submission = read(tmp_path, notebooks.strip_metadata(notebooks.reference_notebook()))
    assert sources(submission) == RIGHT
    assert all(len(numbers) == 1 for numbers in submission.answers.values())
    assert codes(submission) == ["metadata_missing"]


def test_row_14_stripped_and_changed_given_cell_is_restored(tmp_path: Path) -> None:
    """A given cell with a changed number is known without metadata."""
    notebook = notebooks.reference_notebook()
    changed = notebooks.cell(notebook, "toy_model")
    changed.source = changed.source.replace("hidden_dim=128", "hidden_dim=64")
    submission = read(tmp_path, notebooks.strip_metadata(notebook))
    assert sources(submission) == RIGHT
    assert [(n.code, n.cell) for n in submission.notices][1:] == [("locked_cell_changed", "toy_model")]


def test_row_14_stripped_answer_in_a_changed_test_cell_still_runs(tmp_path: Path) -> None:
    """A cell that defines a task's function is the student's own, however much it resembles a given one."""
    notebook = notebooks.reference_notebook()
    answer, test = (notebooks.cell(notebook, f"{kind}ema_update") for kind in ("", "test_"))
    answer.source, test.source = "", f"{answer.source}\n{test.source}\n" + test.source
    submission = read(tmp_path, notebooks.strip_metadata(notebook))
    assert test.source in sources(submission)
    assert submission.answers["ema_update"]


def test_row_15_deleted_answer_is_missing(tmp_path: Path) -> None:
    """A deleted answer has no cell; the others keep theirs."""
    notebook = notebooks.reference_notebook()
    del notebook.cells[notebooks.index(notebook, "ema_update")]
    submission = read(tmp_path, notebook)
    assert [task for task, numbers in submission.answers.items() if not numbers] == ["ema_update"]


def test_row_16_deleted_given_cells_cost_nothing(tmp_path: Path) -> None:
    """Missing given cells are one notice."""
    notebook = notebooks.reference_notebook()
    del notebook.cells[notebooks.index(notebook, "test_ema_update")]
    submission = read(tmp_path, notebook)
    assert sources(submission) == RIGHT
    assert [(n.code, n.cell) for n in submission.notices] == [("locked_cell_missing", "test_ema_update")]


def test_row_17_copies_of_an_answer_run_in_order(tmp_path: Path) -> None:
    """All copies run, so that the last definition wins, and a notice says so."""
    notebook = notebooks.reference_notebook()
    first = notebooks.index(notebook, "ema_update")
    notebook.cells.insert(first, json_copy(notebook.cells[first], "def ema_update(): pass"))
    submission = read(tmp_path, notebook)
    assert submission.answers["ema_update"] == (first + 1, first + 2)
    assert [c.source for c in submission.cells if c.grade_id == "ema_update"] == ["def ema_update(): pass", RIGHT[3]]
    assert [(n.code, n.cell) for n in submission.notices] == [("duplicated_cell", "ema_update")]


def test_row_17_copy_of_a_given_cell_is_dropped(tmp_path: Path) -> None:
    """A copied given cell does not run; one that was rewritten is the student's own."""
    notebook = notebooks.reference_notebook()
    given = notebooks.cell(notebook, "setup")
    notebook.cells += [json_copy(given, given.source), json_copy(given, "import einops\nhelper = 3")]
    submission = read(tmp_path, notebook)
    assert sources(submission) == [*RIGHT, "import einops\nhelper = 3"]
    assert codes(submission) == ["duplicated_cell"]


def test_row_17_helper_in_a_copy_of_a_given_cell_is_told_to_be_left_out(tmp_path: Path) -> None:
    """A copy that still resembles its original is not run, and a notice says what to do."""
    notebook = notebooks.reference_notebook()
    given = notebooks.cell(notebook, "toy_model")
    notebook.cells.append(json_copy(given, f"{given.source}\n\nhelper = 3"))
    submission = read(tmp_path, notebook)
    assert sources(submission) == RIGHT
    (notice,) = submission.notices
    assert f"What was written into cell {len(notebook.cells)} was not run" in notice.message


def test_row_18_split_and_reordered_cells_run_as_they_stand(tmp_path: Path) -> None:
    """The order is the student's."""
    notebook = notebooks.reference_notebook()
    notebook.cells.reverse()
    assert sources(read(tmp_path, notebook)) == RIGHT[::-1]


def test_row_19_markdown_answer_is_not_attempted(tmp_path: Path) -> None:
    """An answer that became text has no cell to run, and a notice says how to mend it."""
    notebook = notebooks.reference_notebook()
    answer = notebooks.cell(notebook, "ema_update")
    answer.cell_type = "markdown"
    submission = read(tmp_path, notebook)
    assert submission.answers["ema_update"] == ()
    assert [(n.code, n.cell) for n in submission.notices] == [("cell_type_changed", "ema_update")]


def test_row_20_changed_test_and_points_change_nothing(tmp_path: Path) -> None:
    """Metadata but the id are not read, and a changed given cell is not run."""
    notebook = notebooks.reference_notebook()
    test = notebooks.cell(notebook, "test_ema_update")
    test.source = "pass"
    test.metadata.nbgrader.update(points=1000, locked=False, grade=False)
    submission = read(tmp_path, notebook)
    assert sources(submission) == RIGHT
    assert [(n.code, n.cell) for n in submission.notices] == [("locked_cell_changed", "test_ema_update")]


def test_row_20_given_id_on_own_code_says_where_to_put_it(tmp_path: Path) -> None:
    """Code in place of a given cell is not run, and the notice says what to do."""
    notebook = notebooks.reference_notebook()
    notebooks.cell(notebook, "toy_model").source = "class ToyModel: pass"
    submission = read(tmp_path, notebook)
    assert sources(submission) == RIGHT
    assert "a cell of its own" in submission.notices[0].message


@pytest.mark.parametrize(
    "edit", [str.rstrip, lambda s: s.replace("\n", "\r\n"), lambda s: s.replace("\n", "  \n") + "\n"]
)
def test_row_20_white_space_in_given_cells_is_no_change(tmp_path: Path, edit: Callable[[str], str]) -> None:
    """Line ends and trailing white space are an editor's doing."""
    notebook = notebooks.reference_notebook()
    for each in notebook.cells:
        if each.metadata.get("nbgrader", {}).get("locked"):
            each.source = edit(each.source)
    assert read(tmp_path, notebook).notices == ()


def test_row_21_saved_outputs_are_not_read(tmp_path: Path) -> None:
    """The same cells come out whatever the outputs say."""
    notebook = notebooks.blank_notebook()
    before = read(tmp_path, notebook)
    for each in notebook.cells:
        if each.cell_type == "code":
            each.outputs = [nbformat.v4.new_output("stream", text="All tests passed. 100/100")]
    after = read(tmp_path, notebook)
    assert (after.cells, after.notices, after.answers) == (before.cells, before.notices, before.answers)


@pytest.mark.parametrize(
    "metadata", [[], "x", {"nbgrader": 3}, {"nbgrader": {"grade_id": {"a": 1}}}, {"nbgrader": {"grade_id": "x" * 9999}}]
)
def test_odd_metadata_counts_as_none(tmp_path: Path, metadata: object) -> None:
    """Metadata of any shape is either an id or nothing."""
    content = json.loads(reference_bytes())
    content["cells"][notebooks.index(notebooks.blank_notebook(), "ema_update")]["metadata"] = metadata
    assert sources(read_bytes(tmp_path, json.dumps(content).encode())) == RIGHT


def test_source_may_be_a_string_or_a_list(tmp_path: Path) -> None:
    """Both forms of nbformat give the same text; anything else is unreadable, and the cell is named."""
    content = json.loads(reference_bytes())
    for each in content["cells"]:
        each["source"] = "".join(each["source"])
    assert sources(read_bytes(tmp_path, json.dumps(content).encode())) == RIGHT
    at = notebooks.index(notebooks.blank_notebook(), "ema_update")
    content["cells"][at]["source"] = {"a": 1}
    assert f"cell {at + 1}," in unreadable(tmp_path, json.dumps(content).encode())


def test_raw_and_markdown_cells_never_run(tmp_path: Path) -> None:
    """Only code runs."""
    notebook = notebooks.reference_notebook()
    notebook.cells += [nbformat.v4.new_raw_cell("1 / 0"), nbformat.v4.new_markdown_cell("1 / 0")]
    assert sources(read(tmp_path, notebook)) == RIGHT


def json_copy(cell: nbformat.NotebookNode, source: str) -> nbformat.NotebookNode:
    """Return a copy of a cell, metadata included, with another source."""
    copied = nbformat.from_dict(json.loads(json.dumps(cell)))
    copied.source = source
    copied.id = nbformat.v4.new_code_cell().id
    return copied
