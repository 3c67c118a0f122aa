"""A and B: broken or odd files, and what editors and students do to cells."""

from __future__ import annotations

import copy

import nbformat

from tests import notebooks
from tests.battery.row import Row, ema, statuses

WRONG = "def ema_update(online, target, decay):\n    pass"


MIX = "def mix(a, b, w): return w * a + (1 - w) * b"
MIXED = """
for p, q in zip(target.parameters(), online.parameters()):
    p.data = mix(p.data, q.data, decay)
"""


def _copied(notebook: nbformat.NotebookNode, source: str, after: bool) -> None:
    at = notebooks.index(notebook, "ema_update")
    copied = copy.deepcopy(notebook.cells[at])
    copied.source = source
    notebook.cells.insert(at + after, copied)


def _blank_with_outputs(notebook: nbformat.NotebookNode) -> None:
    for each in notebook.cells:
        if each.cell_type == "code":
            each.outputs = [nbformat.v4.new_output("execute_result", data={"text/plain": "10.0"}, execution_count=1)]


def _markdown(notebook: nbformat.NotebookNode) -> None:
    cell = notebooks.cell(notebook, "ema_update")
    cell.cell_type = "markdown"
    del cell["outputs"], cell["execution_count"]


def _points(notebook: nbformat.NotebookNode) -> None:
    for each in notebook.cells:
        if "points" in each.metadata.get("nbgrader", {}) and each.cell_type == "code":
            each.metadata.nbgrader.update(points=1000, locked=False)
            each.source = "pass"


def _split(notebook: nbformat.NotebookNode) -> None:
    cell = notebooks.cell(notebook, "ema_update")
    notebooks.add_code(notebook, cell.source.replace("def ema_update", "def half"), before="setup")
    cell.source = "ema_update = half"
    notebook.cells.reverse()
    notebook.cells.append(notebook.cells.pop(notebooks.index(notebook, "ema_update")))


ROWS = (
    Row("1_truncated_json", data=lambda data: data[: len(data) // 2], unreadable="re-download and resubmit"),
    Row("2_empty_file", data=lambda data: b"", unreadable="empty"),
    Row("3_not_a_notebook", data=lambda data: b"<!DOCTYPE html><title>Log in</title>", unreadable="web page"),
    Row("6_utf16", data=lambda data: data.decode().encode("utf-16")),
    Row(
        "7_nul_in_source",
        answers=ema("\x00"),
        lost=("ema_update",),
        statuses=statuses("syntax", "runtime"),
        warnings=("cell_failed",),
    ),
    Row("8_deep_json", data=lambda data: b"[" * 100_000, unreadable="JSON list"),
    Row("9_renamed_file", name="hw (1).ipynb", warnings=("renamed_file",)),
    Row("13_merge_markers", data=lambda data: b"{\n<<<<<<< HEAD\n" + data[1:], unreadable="Git conflict"),
    Row(
        "13_merge_markers_in_cell",
        answers=ema("<<<<<<< HEAD"),
        lost=("ema_update",),
        statuses=statuses("syntax"),
        warnings=("cell_failed",),
    ),
    Row("14_stripped_metadata", edit=notebooks.strip_metadata, warnings=("metadata_missing",)),
    Row(
        "15_deleted_answer_cell",
        edit=lambda nb: nb.cells.pop(notebooks.index(nb, "ema_update")),
        lost=("ema_update",),
        statuses=statuses("not_attempted"),
    ),
    Row(
        "16_deleted_test_cell",
        edit=lambda nb: nb.cells.pop(notebooks.index(nb, "test_ema_update")),
        warnings=("locked_cell_missing",),
    ),
    Row(
        "17_duplicated_cell_last_is_right",
        edit=lambda nb: _copied(nb, WRONG, after=False),
        warnings=("duplicated_cell",),
    ),
    Row(
        "17_duplicated_cell_last_is_wrong",
        edit=lambda nb: _copied(nb, WRONG, after=True),
        lost=("ema_update",),
        warnings=("duplicated_cell",),
    ),
    Row("18_split_and_reordered", edit=_split),
    Row(
        "19_cell_type_changed",
        edit=_markdown,
        lost=("ema_update",),
        statuses=statuses("not_attempted"),
        warnings=("cell_type_changed",),
    ),
    Row(
        "20_edited_tests_and_points",
        edit=_points,
        answers={"ema_update": WRONG},
        lost=("ema_update",),
        warnings=("locked_cell_changed",),
    ),
    Row("21_saved_outputs_only", blank=True, edit=_blank_with_outputs),
    Row(
        "22_helper_in_other_cell",
        cell="import functools as ft\ndef mix(a, b, w): return w * a + (1 - w) * b",
        answers=ema(
            """
            for p, q in zip(target.parameters(), online.parameters()):
                p.data = ft.reduce(lambda a, b: mix(a, b, decay), [p.data, q.data])
            """
        ),
    ),
    Row("23_broken_experiment_cell", cell="print(undefined_name)", warnings=("cell_failed",), says="undefined_name"),
    Row("23_syntax_error_cell", cell="def broken(:\n    pass", warnings=("cell_failed",)),
    Row(
        "24_magics_and_shell",
        cell="""
        %matplotlib inline
        !touch /tmp/shell_ran
        %timeit 1 + 1
        import os
        if os.path.exists("/tmp/shell_ran"):
            raise RuntimeError("a shell ran")
        """,
        warnings=("magic_not_run",),
    ),
    Row("24_bash_cell", cell="%%bash\nrm -rf /", warnings=("magic_not_run",)),
    Row(
        "24_written_file_is_run",
        edit=lambda nb: notebooks.add_code(
            nb, "%%writefile utils.py\ndef mix(a, b, w): return w * a + (1 - w) * b", "setup"
        ),
        cell="%run utils.py",
        answers=ema(MIXED),
    ),
    Row(
        "25_statements_below_a_failure",
        cell=f"from google.colab import drive\ndrive.mount('/content/drive')\n{MIX}",
        answers=ema(MIXED),
        warnings=("cell_failed",),
    ),
    Row("25_rebound_names", cell="nn = len = time_column = 3\nclass ToyModel: pass", whole=True),
    Row(
        "25_defaults",
        cell="torch.set_default_device('cuda')\ntorch.set_default_dtype(torch.float64)\ntorch.set_grad_enabled(False)",
        whole=True,
    ),
    Row(
        "25_name_of_a_failed_cell",
        cell="import nothing_there as helpers",
        answers=ema("helpers.blend(online, target)"),
        lost=("ema_update",),
        statuses=statuses("runtime"),
        warnings=("cell_failed",),
        says="helpers is missing because a cell above failed: cell",
    ),
    Row("25_input", cell="input('continue? ')", warnings=("cell_failed",)),
    Row("25_breakpoint_in_answer", answers=ema("breakpoint()"), lost=("ema_update",)),
    Row(
        "26_long_training_cell",
        seconds=1,
        cell="import time\nfor epoch in range(10**6): time.sleep(0.01)",
        warnings=("cell_cut_short",),
    ),
    Row(
        "27_hidden_state",
        answers=ema("return blend(online, target)"),
        lost=("ema_update",),
        statuses=statuses("runtime"),
        says="Restart and Run All",
    ),
)
