"""Workflows and pipelines: valid by their schemas, pinned, without rights they need not have; their shell is run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from autograder.course import find_assignment
from autograder.platforms.repositories import write_course_repository, write_student_repository
from autograder.platforms.wheel import own_wheel
from tests.fake_judge import hand_in, small_course
from tests.sample_reports import graded

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"
PINNED = re.compile(r"^(?:\./.+\.yml|[\w.-]+/[\w./-]+@[0-9a-f]{40})$")


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the course repository as it is given out."""
    return write_course_repository(ROOT, tmp_path_factory.mktemp("repositories") / "course")


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the student repository as it is given out."""
    return write_student_repository(find_assignment(ROOT), tmp_path_factory.mktemp("repositories") / "student")


@pytest.fixture(scope="module")
def repositories(course: Path, student: Path) -> list[Path]:
    """Return every folder that has workflows: this repository, and the two that are written from it."""
    return [ROOT, course, student]


def read(path: Path) -> dict[str, Any]:
    """Return a YAML file; `on`, which YAML takes for a truth, is a word in a workflow."""
    value: dict[str, Any] = yaml.load(path.read_text(), yaml.BaseLoader)
    return value


def jobs(repositories: list[Path]) -> Iterator[tuple[Path, str, dict[str, Any]]]:
    """Yield every job of every workflow."""
    for repository in repositories:
        for path in sorted((repository / ".github" / "workflows").glob("*.yml")):
            for name, job in read(path)["jobs"].items():
                yield path, name, job


def run(folder: Path, *command: str | Path, code: int = 0, **environment: str | Path) -> str:
    """Run a script with this environment's Python first on the path, and return what it printed."""
    known = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(folder)}
    done = subprocess.run(
        [str(part) for part in command],
        env={**known, **{name: str(value) for name, value in environment.items()}},
        cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout
    return done.stdout


def program(folder: Path, name: str, text: str) -> Path:
    """Put a program on a path of its own, and return that."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("schema", "pattern"), [("github-workflows", ".github/workflows/*.yml"), ("gitlab-ci", ".gitlab-ci.yml")]
)
def test_workflows_are_valid(repositories: list[Path], schema: str, pattern: str) -> None:
    """By the schemas that check-jsonschema carries, without a network; and every job ends in time."""
    files = [path for repository in repositories for path in sorted(repository.glob(pattern))]
    assert len(files) >= 3
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    assert "ok" in run(ROOT, *command, *files)
    if schema == "github-workflows":
        run(ROOT, *command[:-1], "custom.github-workflows-require-timeout", *(f for f in files if f.name != "mark.yml"))


def test_actions_are_pinned_and_rights_are_minimal(repositories: list[Path]) -> None:
    """Every action is a commit; no job may write, keeps a token, or runs what another repository asks for."""
    for path, name, job in jobs(repositories):
        workflow = read(path)
        assert "pull_request_target" not in workflow["on"]
        permissions = {**workflow.get("permissions", {}), **job.get("permissions", {})}
        assert set(permissions.values()) <= {"read"}, (path.name, name)
        for step in [job, *job.get("steps", [])]:
            assert "secrets" not in step or step["secrets"] != "inherit"
            if "uses" in step:
                assert PINNED.match(step["uses"]), step["uses"]
            if step.get("uses", "").startswith("actions/checkout"):
                assert step["with"]["persist-credentials"] == "false"
            # What somebody else can write never stands in a script: it comes as a variable.
            assert "${{" not in step.get("run", "")


def test_no_secret_is_in_a_job_that_runs_students_code(repositories: list[Path]) -> None:
    """The one secret is in the job that collects, and that runs git alone."""
    with_secret = {(path.name, name) for path, name, job in jobs(repositories) if "secrets." in json.dumps(job)}
    assert with_secret == {("mark.yml", "collect")}
    grade = read(WORKFLOWS / "grade.yml")
    assert "secrets" not in grade["on"]["workflow_call"]
    runs = [step["run"] for step in grade["jobs"]["publish"]["steps"] if "run" in step]
    assert runs == ['.ci/publish "$PACKAGE" "$RUNNER_TEMP/marks" "$RUNNER_TEMP/published"']


def test_this_repository_runs_what_it_gives_out(course: Path) -> None:
    """The workflow `grade` and its scripts are here what they are in the course repository."""
    assert (WORKFLOWS / "grade.yml").read_bytes() == (course / ".github" / "workflows" / "grade.yml").read_bytes()
    for script in (course / ".ci").iterdir():
        here = ROOT / ".ci" / script.name
        assert here.is_symlink()
        assert here.read_bytes() == script.read_bytes()
        assert os.access(here, os.X_OK)
        assert os.access(script, os.X_OK)


def test_a_student_repository_holds_the_release_and_visible_checks_alone(student: Path) -> None:
    """Its files are known by name; the grader, the source and hidden checks are not among them."""
    files = {path.relative_to(student).as_posix() for path in student.rglob("*") if path.is_file()}
    (wheel,) = (student / "vendor").iterdir()
    released = {path.name for path in (ROOT / "release" / "consistency-models").iterdir()}
    assert files == {
        "README.md", "constraints.txt", ".gitignore", ".gitlab-ci.yml", ".github/workflows/check.yml", ".ci/install",
        ".ci/check", f"vendor/{wheel.name}", *(f"consistency-models/{name}" for name in released),
    }  # fmt: skip
    assert wheel.name.startswith("consistency_check-")
    assert wheel.name in (student / "README.md").read_text()
    assert "WHEEL" not in "".join(path.read_text() for path in student.rglob("*.yml"))


def test_a_course_repository_can_mark(course: Path) -> None:
    """It holds what marking needs, and the wheel that its workflows name."""
    name, _ = own_wheel()
    assert (course / "vendor" / name).is_file()
    assert (course / "source" / "consistency-models" / "consistency-models.ipynb").is_file()
    assert (course / "nbgrader_config.py").is_file()
    assert f"package: vendor/{name}" in (course / ".github" / "workflows" / "mark.yml").read_text()
    assert f".ci/install /tmp/grader vendor/{name}" in (course / ".gitlab-ci.yml").read_text()


def test_a_repository_is_never_written_over(course: Path) -> None:
    """What was changed there is somebody's work."""
    run(ROOT, sys.executable, "-m", "autograder", "package", "course", course, "--course", ROOT, code=2)


def test_install_takes_torch_from_the_index_that_is_named(tmp_path: Path) -> None:
    """The index is added to those that pip has; the versions are those of constraints.txt."""
    (tmp_path / "constraints.txt").write_text("")
    log = tmp_path / "log"
    pip = f'#!/bin/sh\necho "$PIP_EXTRA_INDEX_URL; $*" >{log}\n'
    (tmp_path / "pip").write_text(pip)
    fake = "mkdir -p env/bin; cp pip env/bin/python; chmod +x env/bin/python"
    path = program(tmp_path / "bin", "python3", fake)
    asked = {"PATH": f"{path}:{os.environ['PATH']}", "PIP_EXTRA_INDEX_URL": "https://a.example"}
    run(tmp_path, ROOT / ".ci" / "install", "env", "a.whl", TORCH_INDEX_URL="https://b.example/cpu", **asked)
    assert log.read_text().startswith("https://a.example https://b.example/cpu; -m pip install")
    assert log.read_text().endswith("--constraint constraints.txt a.whl\n")
    run(tmp_path, ROOT / ".ci" / "install", "env", "a.whl", TORCH_INDEX_URL="", **asked)
    assert log.read_text().startswith("https://a.example; ")


@pytest.mark.slow
def test_install_really_installs(tmp_path: Path) -> None:
    """A wheel of the grader goes into an environment of its own; its dependencies are left out here."""
    name, wheel = own_wheel()
    (tmp_path / name).write_bytes(wheel)
    (tmp_path / "constraints.txt").write_text("")
    run(tmp_path, ROOT / ".ci" / "install", "env", name, PIP_NO_DEPS="1", PIP_NO_INDEX="1")
    assert "autograder" in run(tmp_path, tmp_path / "env" / "bin" / "autograder", "--version")


@pytest.mark.parametrize("restricted", [True, False])
def test_namespaces_are_allowed_to_bwrap_alone(tmp_path: Path, restricted: bool) -> None:
    """Where AppArmor restricts them bwrap gets a profile; where nothing helps the job fails and says what to do."""
    path = program(tmp_path / "bin", "bwrap", f'[ -f {tmp_path}/allowed ] || {{ echo "no namespaces" >&2; exit 1; }}')
    program(path, "sysctl", f"echo {int(restricted)}")
    program(path, "apparmor_parser", f'grep -q "userns," "$2" && touch {tmp_path}/allowed')
    program(path, "sudo", 'shift; exec "$@"')
    environment = {"PATH": f"{path}:{os.environ['PATH']}", "APPARMOR_PROFILES": str(tmp_path)}
    printed = run(tmp_path, ROOT / ".ci" / "namespaces", code=0 if restricted else 1, **environment)
    profile = tmp_path / "autograder-bwrap"
    if restricted:
        assert f"profile autograder-bwrap {path}/bwrap flags=(unconfined) {{\n  userns,\n}}" in profile.read_text()
        (tmp_path / "autograder-bwrap").unlink()
        run(tmp_path, ROOT / ".ci" / "namespaces", **environment)
        assert not profile.exists()  # it works, so nothing is changed
    else:
        assert "nothing can be marked" in printed
        assert not profile.exists()


@pytest.fixture
def marking(tmp_path: Path) -> dict[str, Path]:
    """Return a course with a class, and an environment whose `autograder` marks by the fake judge."""
    course = small_course(tmp_path / "course")
    hand_in(course, "ada", "fine")
    hand_in(course, "bob", "partly")
    hand_in(course, "eve", "fault")
    fake = f'cd {course} && PYTHONPATH={ROOT} exec {sys.executable} -m tests.fake_command "$@"'
    program(_folder(tmp_path / "env") / "bin", "autograder", fake)
    (tmp_path / "env" / "bin" / "python").symlink_to(sys.executable)
    return {"course": course, "env": tmp_path / "env", "results": tmp_path / "results", "marks": tmp_path / "marks"}


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def test_mark_and_publish_run_one_after_the_other(marking: dict[str, Path], tmp_path: Path) -> None:
    """The first makes JSON; the second, which has nothing else, makes the summary, JUnit and Canvas's file of it.

    Where the grader failed on somebody the first ends with 4, and the others' marks are there all the same.
    """
    env, course, results, marks = (marking[name] for name in ("env", "course", "results", "marks"))
    printed = run(
        course, ROOT / ".ci" / "mark", env, course / "submitted", results, marks, code=4, GITHUB_ACTIONS="true"
    )
    first, *_, last = [line for line in printed.splitlines() if line.startswith("::")]
    assert first.startswith("::stop-commands::")
    assert last == f"::{first.removeprefix('::stop-commands::')}::"
    assert {path.name for path in marks.iterdir()} == {"ada.json", "bob.json", "eve.json"}
    (course / "canvas.csv").write_text(
        "Student,ID,SIS Login ID,Section,Consistency models (7)\nAda,1,ada,,\nBob,2,bob,,\n"
    )
    summary, out = tmp_path / "summary.md", tmp_path / "published"
    run(course, ROOT / ".ci" / "publish", ROOT, marks, out, GITHUB_STEP_SUMMARY=summary)
    assert "| `ada` | 100 / 100 |" in summary.read_text()
    assert "Ada,1,ada,,110" in (out / "canvas.csv").read_text()
    assert {path.name for path in out.iterdir()} == {"junit.xml", "canvas.csv"}
    run(course, ROOT / ".ci" / "publish", ROOT, marks, out)  # on GitLab
    assert (out / "summary.md").is_file()


def test_publish_takes_the_wheel_as_it_is(tmp_path: Path, course: Path) -> None:
    """The publishing job installs nothing: Python reads the wheel."""
    marks = _folder(tmp_path / "marks")
    (marks / "ada.json").write_text(graded().to_json())
    (wheel,) = (course / "vendor").iterdir()
    run(tmp_path, course / ".ci" / "publish", wheel, marks, tmp_path / "published")
    assert "ada" in (tmp_path / "published" / "junit.xml").read_text()


def repository(folder: Path, notebook: bytes | None) -> Path:
    """Make a student's repository; hooks and filters in it would say that they ran."""
    git = ["git", "-C", folder, "-c", "user.name=s", "-c", "user.email=s@example.org"]
    run(folder.parent, "git", "init", "--quiet", folder)
    (folder / ".gitattributes").write_text("*.ipynb filter=evil\n")
    (folder / ".git" / "hooks" / "post-checkout").write_text(f"#!/bin/sh\ntouch {folder.parent}/ran\n")
    if notebook is not None:
        (folder / "consistency-models").mkdir()
        (folder / "consistency-models" / "consistency-models.ipynb").write_bytes(notebook)
    run(folder.parent, *git, "add", ".")
    run(folder.parent, *git, "commit", "--quiet", "--message", "handed in")
    return folder


def test_collect_takes_the_notebook_and_runs_nothing(tmp_path: Path) -> None:
    """The bytes that were pushed, nothing of a repository checked out; who has none is told and has an empty folder."""
    ada, bob = repository(tmp_path / "a", b"\x00 {}\r\n"), repository(tmp_path / "b", None)
    table = f"id,repository\r\nada,file://{ada}\r\nbob,file://{bob}\r\neve,--upload-pack=touch {tmp_path}/ran\r\n"
    (tmp_path / "students.csv").write_text(table)
    out = tmp_path / "submitted"
    printed = run(tmp_path, ROOT / ".ci" / "collect", "students.csv", out, STUDENTS_TOKEN="secret-word")
    notebooks = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert notebooks == {"ada/consistency-models/consistency-models.ipynb": b"\x00 {}\r\n"}
    assert "nothing collected from bob" in printed
    assert "2 without a notebook" in printed
    assert "secret-word" not in printed
    assert not (tmp_path / "ran").exists()
    assert (out / "eve").is_dir()


@pytest.mark.parametrize("table", ["name,url\n", "id,repository\n../x,file:///x\n", "id,repository\n-x,file:///x\n"])
def test_collect_refuses_a_list_that_is_none(tmp_path: Path, table: str) -> None:
    """A wrong header and an id that is a path are wrong usage."""
    (tmp_path / "students.csv").write_text(table)
    run(tmp_path, ROOT / ".ci" / "collect", "students.csv", tmp_path / "submitted", code=2)


def test_check_says_what_the_command_says(tmp_path: Path, student: Path) -> None:
    """The step's exit code is the check's, a success too; test_student_package runs it with the real one."""
    bin_ = program(_folder(tmp_path / "env") / "bin", "check", 'echo "checked $1"; exit 0')
    (bin_ / "python").symlink_to(sys.executable)
    printed = run(student, student / ".ci" / "check", tmp_path / "env")
    assert printed == "checked consistency-models/consistency-models.ipynb\n"
