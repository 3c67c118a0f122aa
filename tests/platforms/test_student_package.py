"""The package for students: what is in it, and what `check` says of notebooks in every state."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from contextlib import redirect_stdout
from pathlib import Path

import nbformat
import pytest

from autograder.assignment import load_assignment
from autograder.cli import main as autograder
from autograder.course import find_assignment
from autograder.platforms.repositories import write_student_repository
from autograder.platforms.student.build import build_student_package
from autograder.platforms.student.check import cli
from tests.documented_commands import Shell, blocks
from tests.notebooks import NAME
from tests.sample_class import cell_of, correct_notebook, with_answers

COURSE = Path(__file__).parents[2]
RELEASE = find_assignment(COURSE).released / f"{NAME}.ipynb"
FILES = {
    "": "consistency-models.ipynb __init__.py __main__.py checking.py child.py cli.py plan.py runner.py",
    "reading/": "__init__.py assignment.py course.py errors.py text.py verdict.py",
    "reading/box/": "__init__.py cells.py defaults.py ipython.py source.py",
    "reading/intake/": "__init__.py cells.py file.py json_scanner.py repair.py submission.py",
}
# One mistake of each kind: a wrong value, an error, no end, another name, nothing written.
MISTAKES = {
    "noisy_sample": "def noisy_sample(x_0, epsilon, t):\n    return x_0 + t[:, None] * epsilon",
    "teacher_ode_step": "def teacher_ode_step(teacher, x_tn1, t_n1, t_n):\n    return vanished",
    "consistency_distillation_loss": "def distillation_loss(*arguments):\n    return 0.0",
    "ema_update": "def ema_update(online, target, decay):\n    while True:\n        pass",
}


pytestmark = pytest.mark.xdist_group("student_package")  # one environment for one worker


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The package, built from this course by the command."""
    out = tmp_path_factory.mktemp("dist")
    assert autograder(["package", "student", "--course", str(COURSE), "--out", str(out)]) == 0
    (path,) = out.iterdir()
    return path


@pytest.fixture(scope="module")
def texts(wheel):
    """What stands in its files, by name."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """An environment with the package, and what the notebook needs, but without `autograder`."""
    folder = tmp_path_factory.mktemp("student") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    (site / "shared.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    # Without --no-deps: pip finds that all that it asks for is there, and needs no network.
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        folder / "bin" / "python",
        "install",
        "--quiet",
        "--no-index",
        wheel,
    ]
    subprocess.run(pip, check=True, capture_output=True)
    return folder / "bin"


def person(environment):
    """The variables of a student at a shell, with that environment activated and no index of packages."""
    path = os.pathsep.join([str(environment), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "PIP_NO_INDEX": "1"}


def check(notebook, *options, capsys, release=RELEASE):
    """Run `check` here; return the exit code and what it said."""
    code = cli.main([str(notebook), *options], release)
    return code, capsys.readouterr().out


def test_wheel_holds_the_release_and_what_reads_and_runs_a_file(texts):
    """The list of files, complete: a file more is a decision."""
    inside = [name.removeprefix("consistency_check/") for name in texts if name.startswith("consistency_check/")]
    assert sorted(inside) == sorted(folder + name for folder, names in FILES.items() for name in names.split())
    assert {name.split("/")[0] for name in texts} == {"consistency_check", "consistency_check-0.1.0.dist-info"}
    assert texts[f"consistency_check/{NAME}.ipynb"] == RELEASE.read_text(encoding="utf-8")


def test_wheel_holds_no_answer_no_check_and_no_judge(texts):
    """No line of an answer, no import of the grader, nothing that a hidden check is made of."""
    lines = {line.strip() for cell in load_assignment(COURSE).reference for line in cell.source.splitlines()}
    given = texts[f"consistency_check/{NAME}.ipynb"]
    secret = [line for line in lines if len(line) > 20 and json.dumps(line)[1:-1] not in given]
    assert len(secret) > 10
    for name, text in texts.items():
        assert not re.search(r"\bautograder\b.*\bimport\b|\bimport\b.*\bautograder\b", text), name
        assert not any(line in text for line in secret), name
        assert not re.search(r"hypothesis|strategies|oracle|@points|BEGIN HIDDEN", text) or name.endswith(
            "assignment.py"
        )


def test_wheel_is_the_same_when_built_again(wheel, tmp_path):
    """The same sources make the same bytes."""
    assert build_student_package(find_assignment(COURSE), tmp_path).read_bytes() == wheel.read_bytes()


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A student's repository as it is given out."""
    return write_student_repository(find_assignment(COURSE), tmp_path_factory.mktemp("repository") / "ada")


@pytest.mark.slow
def test_repositorys_own_check_finds_everything_missing_in_an_untouched_release(environment, repository):
    """The step of its workflow, with the package and without the grader; all files stay as they were."""
    before = {path: path.read_bytes() for path in repository.rglob("*") if path.is_file()}
    notebook = repository / NAME / f"{NAME}.ipynb"
    os.utime(notebook, (1, 1))
    grader = subprocess.run([environment / "python", "-c", "import autograder"], cwd=repository, capture_output=True)
    assert grader.returncode == 1
    step = [repository / ".ci" / "check", environment.parent]
    github = {**os.environ, "GITHUB_ACTIONS": "true"}
    run = subprocess.run(step, cwd=repository, capture_output=True, text=True, env=github)
    assert run.returncode == 1, run.stderr
    assert len(re.findall(r"^  missing ", run.stdout, re.MULTILINE)) == 6
    assert "The visible checks of 0 of 7 tasks hold; 0 of 100 points are decided by hidden checks" in run.stdout
    assert "It was saved without having been run." in run.stdout
    assert "Still to be written, and marked by hand: reflect_1, reflect_2." in run.stdout
    first, *_, last = run.stdout.splitlines()
    assert (first, last) == (f"::stop-commands::{last.strip(':')}", f"::{last.strip(':')}::")
    assert {path: path.read_bytes() for path in repository.rglob("*") if path.is_file()} == before
    assert notebook.stat().st_mtime == 1


@pytest.mark.full
@pytest.mark.slow
def test_commands_of_the_repositorys_page_work(environment, repository):
    """README.md of what a student gets: its wheel is there, and its check says that an untouched release is none."""
    shell = Shell(repository, person(environment))
    (block,) = blocks(repository / "README.md")
    assert "0 of 100 points are decided by hidden checks" in shell.run(block, code=1)


def test_package_as_a_module_is_the_command(environment, tmp_path):
    """`python -m consistency_check` takes the same words and has the same exit codes."""
    command = [environment / "python", "-m", "consistency_check", "nothing.ipynb"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 2
    assert "there is no file" in run.stderr + run.stdout


@pytest.fixture(scope="module")
def said_of_mistakes(tmp_path_factory):
    """What is said of a notebook with every kind of mistake, on one line."""
    notebook = with_answers(correct_notebook(COURSE), MISTAKES)
    notebook.cells.remove(cell_of(notebook, "test_ema_update"))
    own = nbformat.v4.new_code_cell('%matplotlib inline\nraise ValueError("\\x1b[31mmine")')
    notebook.cells.insert(notebook.cells.index(cell_of(notebook, "noisy_sample")), own)
    path = tmp_path_factory.mktemp("mistakes") / "homework.ipynb"
    nbformat.write(notebook, path)
    with redirect_stdout(io.StringIO()) as said:
        assert cli.main([str(path), "--seconds", "6"], RELEASE) == 1
    return re.sub(r"\s+", " ", said.getvalue())


@pytest.mark.slow
@pytest.mark.parametrize(
    "told",
    [
        "does not hold 10 noisy_sample The point at the upper noise level At t = 1 only noise is left: the last row",
        "raises 18 teacher_ode_step The teacher's step down the trajectory NameError at cell 43, 'teacher_",
        "missing 20 consistency_distillation_loss The distillation loss Expected a function called consistency_",
        "it defines distillation_loss. Give it that name again. too slow 16 ema_update The moving average",
        "It did not end within 6 s; it was at cell 49, 'ema_update', line 2. Is there a loop without an end?",
        "not reached 10 sample_quality The quality of one jump It looks at the trained model, so first: noisy_sample, ",
        "holds 24 sample_consistency_multistep",
        "Given cells are missing: 'test_ema_update'. Ours were used; this costs nothing.",
        "The file is called 'homework.ipynb'; hand it in as 'consistency-models.ipynb'.",
        "In your cell 39, a statement failed: ValueError at cell 39, line 2: mine. Marking goes on without it",
        "The visible checks of 1 of 7 tasks hold; 24 of 100 points are decided by hidden checks, which only the grader "
        "runs. Next: noisy_sample.",
    ],
)
def test_check_says_what_and_where_and_what_to_do(said_of_mistakes, told):
    """Each kind of mistake is told in words of its own, and one costs nothing of another's."""
    assert told in said_of_mistakes


@pytest.mark.full
@pytest.mark.slow
def test_commands_of_the_students_guide_find_a_right_notebook_ready(environment, wheel, tmp_path):
    """The guide's commands, typed: all holds, exit code 0, the one sentence, and nothing to do."""
    notebook = correct_notebook(COURSE)
    for name in ("reflect_1", "reflect_2"):
        cell_of(notebook, name).source = "Because."
    cell_of(notebook, "ema_update").execution_count = 1
    nbformat.write(notebook, tmp_path / f"{NAME}.ipynb")
    shutil.copyfile(wheel, tmp_path / wheel.name)
    shell = Shell(tmp_path, person(environment))
    said = "".join(shell.run(block) for block in blocks(COURSE / "docs" / "student.md"))
    assert said.count("  holds ") == 8
    assert said.endswith(f"The visible checks hold; 100 of 100 points are {cli.HIDDEN}\n")
    assert "Also:" not in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (RELEASE.read_bytes()[:50_000], "is cut short: the file ends"),
        (b'{"cells": [}', "cannot be read as a notebook"),
        (b"%PDF-1.7", "it looks like a PDF"),
        (b"", "is empty (0 bytes); expected a notebook"),
        (b'{"cells": [{"cell_type": "code", "source": "x = 1"}]}', "is another assignment's notebook"),
    ],
    ids=["cut", "broken", "pdf", "empty", "other assignment"],
)
def test_check_of_an_unreadable_file_says_what_the_grader_would(tmp_path, capsys, content, said):
    """Nothing is run, the exit code is 3, and the sentence is the grader's own."""
    path = tmp_path / "homework.ipynb"
    path.write_bytes(content)
    code, text = check(path, capsys=capsys)
    assert code == 3
    assert text.startswith("This file could not be marked. The grader would say:")
    assert said in re.sub(r"\s+", " ", text)


def test_check_without_a_file_is_wrong_usage(tmp_path, capsys):
    """A name that is not there is told apart from a file that cannot be read."""
    assert cli.main([str(tmp_path / "nothing.ipynb")], RELEASE) == 2
    assert "there is no file" in capsys.readouterr().err
