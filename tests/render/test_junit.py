"""JUnit XML: where CI systems look for checks, points and outcomes, and well-formed whatever a text holds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import xmlschema
from junitparser import JUnitXml, Properties

from autograder.render.junit import to_junit
from autograder.report import GRADER_ERROR, UNREADABLE, Report
from tests.sample_reports import graded, hostile, is_plain

SCHEMA = Path(__file__).parents[1] / "schemas" / "junit.xsd"


@pytest.fixture(scope="module")
def schema() -> xmlschema.XMLSchema:
    """Return the schema of JUnit XML."""
    return xmlschema.XMLSchema(SCHEMA)


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


@pytest.mark.parametrize(
    "report",
    [graded(), hostile(), graded(status=GRADER_ERROR, reason="ours"), graded(status=UNREADABLE, reason="", tasks=())],
    ids=["graded", "hostile", "grader_error", "unreadable"],
)
def test_to_junit_is_valid(schema: xmlschema.XMLSchema, report: Report) -> None:
    """Whatever the report, the document is one by the schema."""
    schema.validate(to_junit(report).decode("utf-8"))


def test_the_schema_takes_what_pytest_writes_and_no_case_twice(schema: xmlschema.XMLSchema, tmp_path: Path) -> None:
    """It is the format that others write, not ours alone; and it can refuse."""
    tests = tmp_path / "test_them.py"
    tests.write_text(
        "import pytest\n"
        "def test_a(record_property): record_property('points', '2/3')\n"
        "def test_b(): print('out'); assert False, '<]]>'\n"
        "def test_c(): pytest.skip('later')\n"
        "@pytest.fixture\ndef broken(): raise OSError\n"
        "def test_d(broken): pass\n"
    )
    out = tmp_path / "out.xml"
    options = ["-q", "-p", "no:cacheprovider", "-o", "junit_family=xunit1", f"--junit-xml={out}"]  # a superset of 2
    done = subprocess.run([sys.executable, "-m", "pytest", *options, tests], capture_output=True, timeout=60)
    assert done.returncode == 1
    schema.validate(out)
    twice = out.read_text().replace('name="test_b"', 'name="test_a"')
    assert not schema.is_valid(twice)


def test_to_junit_is_read_by_another_program(tmp_path: Path) -> None:
    """junitparser finds the cases, their outcomes, their texts and the points."""
    file = tmp_path / "report.xml"
    file.write_bytes(to_junit(graded()))
    (suite,) = JUnitXml.fromfile(str(file))
    assert (suite.name, suite.tests, suite.failures, suite.skipped, suite.errors) == ("consistency-models", 10, 4, 1, 0)
    cases = {(case.classname, case.name): case for case in suite}
    (lost,) = cases["consistency-models.ema_update", "values"].result
    assert lost.type == "WRONG"
    assert "weights look exchanged" in lost.text
    points = {entry.value for case in suite for properties in case.iterchildren(Properties) for entry in properties}
    assert points >= {"5/5", "0/8"}
    file.write_bytes(to_junit(hostile()))
    (suite,) = JUnitXml.fromfile(str(file))
    assert suite.failures == 1
