"""Every command that a page of documentation shows is run by a test that is named here, or stands here with a reason.

A command is a line of a fenced block of the language `sh`, or what stands between backticks and begins with a program.
"""

from __future__ import annotations

import argparse
import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from autograder.cli import _parser
from tests.documented_commands import blocks, spans

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *(ROOT / folder / "README.md" for folder in (".", "benchmarks", "tests/submissions")),
        ROOT / "CONTRIBUTING.md",
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "autograder" / "platforms").glob("*/README.md"),
    ]
)
GENERATED = {
    "docs/commands.md"
}  # test_commands_page holds it against the parsers: it shows every command, and types none
LANGUAGES = {"sh", "python", "toml", "text", "json"}  # of blocks; all but `sh` show something, and are not typed
PROGRAMS = {
    "autograder",
    "nbgrader",
    "check",
    "make",
    "python",
    "python3",
    "pip",
    "jupyter",
    "git",
    "pytest",
    "pre-commit",
}
SHORT = {"score", "release", "grade", "report", "canvas", "publish"}  # `release --check`: of autograder, by the context

# Who types all blocks of a page; of README test_end_to_end types the first one.
TYPED = {
    "README.md": "test_readme.test_five_steps_lead_to_feedback_and_a_final_mark",
    "docs/ci.md": "test_ci_guide.test_every_command_of_the_page_works",
    "docs/extending.md": "test_guides.test_every_step_for_people_who_extend_works_in_a_copy_of_the_repository",
    "docs/instructor.md": "test_instructor_page.test_pages_lead_from_a_folder_to_returned_feedback_and_to_nothing_left",
    "docs/privacy.md": "test_instructor_page.test_pages_lead_from_a_folder_to_returned_feedback_and_to_nothing_left",
    "docs/student.md": "test_student_package.test_commands_of_the_students_guide_find_a_right_notebook_ready",
    "autograder/platforms/repository/README.md": "test_student_package.test_commands_of_the_repositorys_page_work",
}
# Why the blocks of a page are not typed.
NOT_TYPED = {
    "CONTRIBUTING.md": "it paints over pictures, which differ from machine to machine by their fonts",
    "autograder/platforms/student/README.md": "a template; test_student_package runs what it becomes",
    "benchmarks/README.md": "they measure for minutes on a quiet machine; what they wrote is committed",
}
# Commands in running text that no block holds: who runs them.
ELSEWHERE = {
    "autograder --help": "test_cli.test_every_command_of_the_contract_is_offered",
    "autograder calibrate": "test_calibrate.test_command_writes_weights_limits_provenance_and_figure",
    "autograder release --check": "test_build.test_release_as_committed_is_fresh",
    "autograder grade --only": "test_end_to_end.test_grade_only_keeps_what_it_does_not_mark",
    "autograder grade submissions.zip": "test_lms_downloads.test_grade_reads_a_download_of_canvas",
    "nbgrader zip_collect": "test_lms_downloads.test_zip_collect_takes_what_grade_would_mark",
    "autograder grade --roster": "test_roster.test_grade_with_a_roster_reports_who_handed_nothing_in",
    ".ci/namespaces": "test_repositories.test_namespaces_are_allowed_to_bwrap_alone",
    ".ci/mark": "test_repositories.test_mark_and_publish_run_one_after_the_other",
    "python3 -m autograder publish": "test_repositories.test_publish_takes_the_wheel_as_it_is",
    "make release": "test_end_to_end.graded",  # which `make grade` asks for
}
# Commands in running text that no test runs, and why.
NOT_RUN = {
    "make test": "it runs this",
    "make test-all": "it runs this",
    ".ci/run": "it is `make test-all` and `make check`",
    "pytest -n": "it runs this",
    "make check": "its two commands are run, each by its own test",
    "python -m docs.make_commands_page": "it writes the page that test_commands_page compares with what it would write",
    "make notebook": "it opens a browser, and goes on until it is ended",
    "jupyter lab": "it goes on until it is ended; test_nbgrader opens the formgrader",
    "pre-commit install": "it changes the repository's own git hooks",
}


def words(command: str) -> tuple[str, ...]:
    """Return what of a command is no placeholder: names in capitals are the reader's to fill in."""
    try:
        found = shlex.split(command, comments=True)
    except ValueError:  # half of a quotation: no command
        return ()
    found = [word.removeprefix(".venv/bin/") for word in found]
    return tuple(word for word in found if not re.fullmatch(r"[A-Z]+(\.[a-z]+)?|\.\.\.", word))


def is_command(span: str) -> bool:
    """Say whether a text between backticks is one: a program with a word behind it, or a script of ours."""
    found = words(span)
    if not found:
        return False
    if re.fullmatch(r"\.ci/\w+", found[0]):
        return True
    if len(found) == 1:
        return False
    return found[0] in PROGRAMS or (found[0] in SHORT and found[1].startswith("--"))


def typed_lines() -> list[tuple[str, ...]]:
    """Return the commands of all blocks that are typed."""
    texts = [block.text for page in TYPED for block in blocks(ROOT / page)]
    return [words(line) for text in texts for line in text.splitlines()]


def covers(line: tuple[str, ...], command: tuple[str, ...]) -> bool:
    """Say whether a command that is run is another one, perhaps with more words."""
    start = 2 if command[0] in ("autograder", "nbgrader", "make", "jupyter") else 1
    return line[:start] == command[:start] and set(command) <= set(line)


def name(page: Path) -> str:
    """Return how a page is called here."""
    return page.relative_to(ROOT).as_posix()


def options_of(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yield every option of a command line and its commands."""
    for action in parser._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from options_of(command)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_blocks_say_what_they_are(page: Path) -> None:
    """Every block is fenced and has a language, and what is not `sh` begins no line with a program."""
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        where = f"{name(page)}:{(token.map or [0])[0] + 1}"
        assert token.type != "code_block", f"{where} is indented; fence it, as `sh` if it is typed"
        if token.type == "fence":
            language = token.info.split()[:1]
            assert language, f"{where} has no language"
            assert language[0] in LANGUAGES, f"{where} has a language that is not known here"
            if language != ["sh"] and name(page) not in GENERATED:
                programs = [line for line in token.content.splitlines() if line.split()[:1] and is_command(line)]
                assert not programs, f"{where} shows a command: {programs[0]}; make it `sh`"


def test_pictures_are_there_and_small() -> None:
    """Every picture of a page is a PNG of less than 200 kB with words in its place; none lies in docs/ for nothing."""
    shown = set()
    for page in PAGES:
        for words_, place in re.findall(r"!\[(.*?)\]\((.+?)\)", page.read_text(encoding="utf-8")):
            picture = (page.parent / place).resolve()
            assert words_, f"{name(page)}: {place}"
            assert picture.read_bytes().startswith(b"\x89PNG")
            assert picture.stat().st_size < 200_000, place
            shown.add(picture)
    assert shown == set((ROOT / "docs").glob("*.png"))


def test_every_page_with_commands_is_typed_by_a_test() -> None:
    """No page is missing and none is too many, but where all that it shows is typed from another page."""
    typed = typed_lines()
    shown = {name(page): [words(line) for block in blocks(page) for line in block.text.splitlines()] for page in PAGES}
    assert {page for page, lines in shown.items() if any(line not in typed for line in lines)} == NOT_TYPED.keys()
    assert {page for page in TYPED if not shown[page]} == set()
    assert not TYPED.keys() & NOT_TYPED.keys()


@pytest.mark.parametrize("test", sorted({*TYPED.values(), *ELSEWHERE.values()}))
def test_named_tests_exist(test: str) -> None:
    """A test that is renamed is renamed here; one that types pages reads them by their names."""
    module, _, function = test.partition(".")
    (file,) = (ROOT / "tests").rglob(f"{module}.py")
    source = file.read_text(encoding="utf-8")
    assert function in {node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)}
    for page in (page for page, typed_by in TYPED.items() if typed_by == test):
        assert "blocks(" in source, page
        assert Path(page).name in source, page


@pytest.mark.parametrize("page", [page for page in PAGES if name(page) not in GENERATED], ids=name)
def test_every_command_in_running_text_is_run(page: Path) -> None:
    """It is typed in some block, run by a named test, or on the short list with a reason."""
    typed, listed = typed_lines(), [words(command) for command in (*ELSEWHERE, *NOT_RUN)]
    for span in spans(page):
        if is_command(span):
            command = words(span)
            command = ("autograder", *command) if command[0] in SHORT else command
            run = any(covers(line, command) for line in typed) or any(covers(command, short) for short in listed)
            assert run, f"{name(page)}: no test runs `{span}`"


def test_lists_name_no_command_that_no_page_has() -> None:
    """What is on the lists is told somewhere."""
    told = [words(span) for page in PAGES for span in spans(page) if is_command(span)]
    for command in (*ELSEWHERE, *NOT_RUN):
        assert any(covers(line, words(command)) for line in told), command


def test_every_option_that_is_named_exists() -> None:
    """Those of `autograder`, and of other programs that the pages name."""
    others = {"--quick", "--rounds", "--security-opt", "--seconds", "--no-index", "--force", "--add-all"}
    known = {*options_of(_parser()), *others}
    for page in PAGES:
        for span in spans(page):
            unknown = {word.split("=")[0] for word in span.split() if word.startswith("--")} - known
            assert not unknown, f"{name(page)}: `{span}`"


def test_every_make_target_that_is_named_exists() -> None:
    """`make` with a word behind it is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {words(span)[1] for page in PAGES for span in spans(page) if is_command(span) and words(span)[0] == "make"}
    named |= {line[1] for line in typed_lines() if line[:1] == ("make",) and len(line) > 1}
    assert "grade" in named
    assert named <= targets
