"""The student's report as Markdown, for the summary of a CI job or a comment: the same facts as on the page.

Written for GitHub's dialect, which others read as well. What came from a student is text in it: no link, no picture, no
mention, no markup, no command to the CI system whose log it may pass through.
"""

import re
from collections.abc import Iterator

from autograder.render.wording import NOTICES_SHOWN, SIGNS, is_repeat, kind, note, statement
from autograder.render.wording import points as points_of
from autograder.render.wording import verdict as verdict_on
from autograder.report import GRADED, CheckResult, Report, TaskResult
from autograder.text import clean, for_log, number, one_line

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_MARKUP = re.compile(r"[\\`*_{}\[\]|~$:!^]")
# GitHub looks for mentions and numbers of issues in the finished text, where a backslash is gone: a comment parts them.
_REFERENCE = re.compile(r"[@#](?=\w)")
_ADDRESS = re.compile(r"www\.", re.IGNORECASE)
_FIRST = re.compile(r"^(?:[-+=#]|\d(?=\d*[.)]))")  # would begin a list, a heading or a rule


def to_markdown(report: Report) -> str:
    """Return the report."""
    return "\n\n".join(_blocks(report)) + "\n"


def escaped(text: str) -> str:
    """Return a line or a message as Markdown that shows it as it is, in a paragraph or in a cell of a table."""
    text = "".join(_ENTITIES.get(char, char) for char in for_log(text.expandtabs(4)))
    text = _ADDRESS.sub(lambda found: f"{found[0][:-1]}\\.", _MARKUP.sub(r"\\\g<0>", text))
    text = _FIRST.sub(lambda found: f"&#{ord(found[0])};", _REFERENCE.sub(r"\g<0><!-- -->", text))
    lines = [line.rstrip() for line in text.split("\n")]
    # Four spaces would begin a block of code, which takes escapes at their word.
    return "<br>".join("&nbsp;" * (len(line) - len(line.lstrip())) + line.lstrip() for line in lines)


def code(text: str) -> str:
    """Return a name as a span of code, where nothing is markup and no mention is seen; also in a cell of a table."""
    line = for_log(one_line(text)).replace("|", "¦") or "–"
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    return f"{fence} {line} {fence}" if "`" in line else f"{fence}{line}{fence}"


def _blocks(report: Report) -> Iterator[str]:
    yield f"## {escaped(report.assignment)}: {code(report.student)}"
    yield _score(report)
    if report.reason:
        yield f"> {escaped(clean(report.reason))}"
    if report.status == GRADED:
        yield "\n".join(["| Task | Score |", "| --- | ---: |", *(_row(task) for task in report.tasks)])
    for task in report.tasks:
        if task.checks:
            title = escaped(one_line(task.title))
            yield f"### {title}\n\n" + "\n".join(_check(task, check) for check in task.checks)
            told = (figure["words"] for figure in report.figures if figure["task"] == task.id)
            yield from (escaped(words) for words in told if words)
    if report.warnings:
        yield "### Noticed, without any cost\n\n" + "\n".join(_notices(report))
    if report.checks_readable:
        yield "This was marked on a machine where the checks could be read by the submission."
    yield _marked(report)


def _score(report: Report) -> str:
    if report.score is None:
        return "**Not marked.** The grader failed, not your work. No points are lost."
    bonus = f", and {number(report.bonus)} bonus points" if report.bonus else ""
    return f"**{number(report.score)} of {number(report.max_score)} points**{bonus}"


def _row(task: TaskResult) -> str:
    return f"| {escaped(one_line(task.title))} | {number(task.score)} / {number(task.points)} |"


def _check(task: TaskResult, check: CheckResult) -> str:
    title, verdict = escaped(statement(check.title)), verdict_on(check)
    line = f"- {SIGNS[kind(check)]} {title}: **{verdict}**, {points_of(task, check)}"
    message = "As above." if is_repeat(task, check) else check.message
    return f"{line}\n  > {escaped(clean(message))}" if message else line


def _notices(report: Report) -> Iterator[str]:
    yield from (f"- {escaped(note(notice))}" for notice in report.warnings[:NOTICES_SHOWN])
    more = len(report.warnings) - NOTICES_SHOWN
    if more > 0:
        yield f"- … and {more} more of this kind."


def _marked(report: Report) -> str:
    file = code(report.file) if report.file else "no file"
    sha256 = f", SHA-256 {code(report.sha256[:16])}" if report.sha256 else ""
    return f"Marked: {file}{sha256}. Isolation: {escaped(report.isolation)}."
