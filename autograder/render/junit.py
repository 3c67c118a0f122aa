"""JUnit XML: a check is a test case, its task the class. Read by GitLab, Jenkins and GitHub report actions."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from autograder.render.text import clean, number, one_line
from autograder.report import GRADED, GRADER_ERROR, CheckResult, Report, TaskResult
from autograder.verdict import Status

# XML 1.0, section 2.2: these may not stand in a document, not even as character references.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(report: Report) -> bytes:
    """Return the report as a JUnit document.

    A lost check is a <failure>, one that was not attempted <skipped>, a fault of ours an <error>. A submission
    that could not be marked has one more test case, "submission", which says why.
    """
    suite = ElementTree.Element("testsuite", name=_legal(report.assignment))
    properties = ElementTree.SubElement(suite, "properties")
    _property(properties, "student", one_line(report.student))
    _property(properties, "score", "" if report.score is None else _points(report.score, report.max_score))
    _property(properties, "bonus", number(report.bonus))
    if report.status != GRADED:
        _whole(suite, report)
    for task in report.tasks:
        for check in task.checks:
            _check(suite, report.assignment, task, check)
    _count(suite, report.seconds)
    root = ElementTree.Element("testsuites", {**suite.attrib, "name": _legal(report.assignment)})
    root.append(suite)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _check(suite: ElementTree.Element, assignment: str, task: TaskResult, check: CheckResult) -> None:
    case = _case(suite, f"{assignment}.{task.id}", check.id)
    available = float(task.points * check.share)
    properties = ElementTree.SubElement(case, "properties")
    _property(properties, "points", _points(available * float(check.earned), available))
    kind = {Status.NOT_ATTEMPTED: "skipped", Status.GRADER_ERROR: "error"}.get(check.status, "failure")
    if check.status is not Status.PASSED:
        _outcome(case, kind, check.status.name, check.message or check.title)


def _whole(suite: ElementTree.Element, report: Report) -> None:
    case = _case(suite, f"{report.assignment}.submission", report.status)
    kind = "error" if report.status == GRADER_ERROR else "failure"
    _outcome(case, kind, report.status.upper(), report.reason or "")


def _case(suite: ElementTree.Element, classname: str, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=_legal(classname), name=_legal(name))


def _outcome(case: ElementTree.Element, tag: str, kind: str, message: str) -> None:
    element = ElementTree.SubElement(case, tag, type=kind, message=_legal(one_line(message)))
    element.text = _legal(clean(message))


def _property(parent: ElementTree.Element, name: str, value: str) -> None:
    ElementTree.SubElement(parent, "property", name=name, value=_legal(value))


def _count(suite: ElementTree.Element, seconds: float) -> None:
    suite.set("tests", str(len(suite.findall("testcase"))))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("time", f"{seconds:.2f}")


def _points(earned: float, available: float) -> str:
    return f"{number(earned)}/{number(available)}"


def _legal(text: str) -> str:
    return _ILLEGAL.sub("", text)
