"""JUnit XML: where CI systems look for checks, points and outcomes, and well-formed whatever a text holds."""

from __future__ import annotations

from xml.etree import ElementTree

from autograder.render.junit import to_junit
from autograder.report import GRADER_ERROR, UNREADABLE, Report
from tests.sample_reports import graded, hostile, is_plain


def read_junit(report: Report) -> ElementTree.Element:
    """Read the document back with the standard library's parser, and check its sums."""
    root = ElementTree.fromstring(to_junit(report))
    (suite,) = root.findall("testsuite")
    cases = suite.findall("testcase")
    assert int(suite.attrib["tests"]) == len(cases)
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.attrib[name]) == len(suite.findall(f"testcase/{tag}"))
    # GitLab keeps only the first of two that have the same class and name.
    assert len({(case.attrib["classname"], case.attrib["name"]) for case in cases}) == len(cases)
    return suite


def test_to_junit_has_a_case_for_each_check() -> None:
    """Class, name, points and outcome are where CI systems look for them."""
    suite = read_junit(graded())
    cases = {(case.attrib["classname"], case.attrib["name"]): case for case in suite.findall("testcase")}
    lost = cases["consistency-models.ema_update", "values"]
    points = lost.find("properties/property[@name='points']")
    failure = lost.find("failure")
    assert points is not None
    assert points.attrib["value"] == "0/8"
    assert failure is not None
    assert failure.attrib["type"] == "WRONG"
    assert "weights look exchanged" in (failure.text or "")
    assert cases["consistency-models.consistency_training_pair", "values"].find("skipped") is not None
    assert [child.tag for child in cases["consistency-models.noisy_sample", "rows"]] == ["properties"]


def test_to_junit_tells_our_fault_from_an_unreadable_file() -> None:
    """Our fault is an <error>, the file's a <failure>, each with its reason."""
    error = read_junit(graded(status=GRADER_ERROR, reason="ours", tasks=())).find("testcase/error")
    failure = read_junit(graded(status=UNREADABLE, reason="theirs", tasks=())).find("testcase/failure")
    assert error is not None
    assert (error.attrib["type"], error.text) == ("GRADER_ERROR", "ours")
    assert failure is not None
    assert (failure.attrib["type"], failure.text) == ("UNREADABLE", "theirs")


def test_to_junit_of_hostile_text_is_well_formed() -> None:
    """What XML 1.0 cannot hold is left out, the rest is escaped, and the document is bounded."""
    document = to_junit(hostile())
    suite = read_junit(hostile())
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert "<script>alert(1)</script>" in (failure.text or "")
    assert is_plain(document.decode("utf-8"))
    assert len(document) < 20_000
