"""JUnit XML: a check is a test case, its task the class. Read by GitLab, Jenkins and GitHub report actions."""

import re
from collections.abc import Callable, Iterable
from xml.etree import ElementTree

from autograder.report import GRADED, GRADER_ERROR, CheckResult, Report, TaskResult
from autograder.system.file_names import file_name
from autograder.text import clean, number, one_line
from autograder.verdict import Status

_Named = Callable[[str, str], tuple[str, str]]  # of a part and a case in it: the case's class and name
_COUNTS = {"tests": "", "failures": "failure", "errors": "error", "skipped": "skipped"}
# XML 1.0, section 2.2: these may not stand in a document, not even as character references.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(report: Report) -> bytes:
    """Return the report as a JUnit document.

    A lost check is a <failure>, one that was not attempted <skipped>, a fault of ours an <error>. A submission
    that could not be marked has one more test case, "submission", which says why.
    """
    suite = ElementTree.Element("testsuite", name=_legal(report.assignment))
    _fill(suite, report, lambda part, case: (f"{report.assignment}.{part}", case))
    return _document(report.assignment, [suite])


def to_class_junit(reports: Iterable[Report]) -> bytes:
    """Return a class as one JUnit document: a student is a suite and the class of each case, `task.check` its name."""
    suites, name = [], ""
    for report in reports:
        name = report.assignment
        # A file's name is unique where a name made fit to be read might not be.
        student = f"{name}.{file_name(report.student)}"
        suites.append(ElementTree.Element("testsuite", name=_legal(student)))
        _fill(suites[-1], report, lambda part, case, student=student: (student, f"{part}.{case}"))  # type: ignore[misc]
    return _document(name, suites)


def _document(name: str, suites: list[ElementTree.Element]) -> bytes:
    root = ElementTree.Element("testsuites", name=_legal(name))
    for attribute in _COUNTS:
        root.set(attribute, str(sum(int(suite.attrib[attribute]) for suite in suites)))
    root.set("time", f"{sum(float(suite.attrib['time']) for suite in suites):.2f}")
    root.extend(suites)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _fill(suite: ElementTree.Element, report: Report, named: _Named) -> None:
    properties = ElementTree.SubElement(suite, "properties")
    _property(properties, "student", one_line(report.student))
    _property(properties, "score", "" if report.score is None else _points(report.score, report.max_score))
    _property(properties, "bonus", number(report.bonus))
    if report.status != GRADED:
        case = _case(suite, *named("submission", report.status))
        kind = "error" if report.status == GRADER_ERROR else "failure"
        _outcome(case, kind, report.status.upper(), report.reason or "")
    for task in report.tasks:
        for check in task.checks:
            _check(_case(suite, *named(task.id, check.id)), task, check)
    _count(suite, report.seconds)


def _check(case: ElementTree.Element, task: TaskResult, check: CheckResult) -> None:
    available = float(task.points * check.share)
    properties = ElementTree.SubElement(case, "properties")
    _property(properties, "points", _points(available * float(check.earned), available))
    kind = {Status.NOT_ATTEMPTED: "skipped", Status.GRADER_ERROR: "error"}.get(check.status, "failure")
    if check.status is not Status.PASSED:
        _outcome(case, kind, check.status.name, check.message or check.title)


def _case(suite: ElementTree.Element, classname: str, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=_legal(classname), name=_legal(name))


def _outcome(case: ElementTree.Element, tag: str, kind: str, message: str) -> None:
    element = ElementTree.SubElement(case, tag, type=kind, message=_legal(one_line(message)))
    element.text = _legal(clean(message))


def _property(parent: ElementTree.Element, name: str, value: str) -> None:
    ElementTree.SubElement(parent, "property", name=name, value=_legal(value))


def _count(suite: ElementTree.Element, seconds: float) -> None:
    for attribute, tag in _COUNTS.items():
        suite.set(attribute, str(len(suite.findall(f"testcase/{tag}" if tag else "testcase"))))
    suite.set("time", f"{seconds:.2f}")


def _points(earned: float, available: float) -> str:
    return f"{number(earned)}/{number(available)}"


def _legal(text: str) -> str:
    return _ILLEGAL.sub("", text)
