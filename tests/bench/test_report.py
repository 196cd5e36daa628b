"""The table, as people read it and as a program does."""

from bench.measures import Measured
from bench.report import Report, markdown, shown


def test_markdown_is_even() -> None:
    """Columns are as wide as their widest cell, figures stand to the right."""
    assert markdown(["what", "n"], [["a", "1,000/s"], ["longer", "2/s"]]).splitlines() == [
        "| what   |       n |",
        "| ------ | ------: |",
        "| a      | 1,000/s |",
        "| longer |     2/s |",
    ]


def test_two_engines_are_compared() -> None:
    """A line has the medians of each engine, and how they compare."""
    report = Report(["ours", "theirs"])
    for rate in (1000.0, 3000.0, 2000.0):
        report.add("get", "GET", "ours", Measured(rate=rate, p50_ms=0.5, p99_ms=12, count=9))
    report.add("get", "GET", "theirs", Measured(rate=400, p50_ms=2, p99_ms=20, count=9))
    line = report.table().splitlines()[2]
    cells = [each.strip() for each in line.strip("|").split("|")]
    assert cells == ["GET", "2,000/s", "0.5 / 12", "400/s", "2 / 20", "5.0"]


def test_one_engine_has_no_ratio() -> None:
    """There is nothing to compare with."""
    report = Report(["ours"])
    report.add("memory", "Memory", "ours", Measured(megabytes=80, count=1))
    assert "| ratio" not in report.table()
    assert "80 MB" in report.table()


def test_a_missing_engine_leaves_its_cells_empty() -> None:
    """An operation that only one engine ran is still shown."""
    report = Report(["ours", "theirs"])
    report.add("get", "GET", "ours", Measured(rate=10, p50_ms=1, p99_ms=1, count=2))
    assert report.table().splitlines()[2].endswith("|       |")


def test_a_busy_generator_is_marked() -> None:
    """A figure that the generator limited says so."""
    busy = Measured(rate=10, p50_ms=1, p99_ms=1, count=5, generator_busy=0.95)
    assert shown(busy)[0] == "10/s*"


def test_json_has_every_round() -> None:
    """Nothing is lost to medians."""
    report = Report(["ours"])
    for rate in (1.0, 2.0):
        report.add("get", "GET", "ours", Measured(rate=rate))
    found = report.as_json({"cores": "2"})
    rounds = found["operations"]["get"]["rounds"]["ours"]
    assert [each["rate"] for each in rounds] == [1.0, 2.0]
    assert found["machine"] == {"cores": "2"}
