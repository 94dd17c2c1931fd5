"""This module proves what is read of report files: the newest published one of plant and period, digit by digit."""

# ruff: noqa: E501 - a case a line reads as a table

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from annual_tables import a_material
from group_story import a_statement, write_report

from plantmon.errors import StatementError
from plantmon.group.files import statement
from plantmon.reports.esg import plain

POWER = "electricity.purchased"


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    """What the report of a plant says is read back: values with all digits, coverage, factors, notes, months."""
    material = a_material()
    file = tmp_path / "cq-truck-2020.json"
    file.write_text(plain.as_json(material), encoding="utf-8")
    found = statement(str(file), "cq-truck", "2020")
    assert found is not None
    assert found.published is None
    for line in material.annual.lines:
        read, own = found.figures[line.figure.metric.id], line.figure
        assert (read.value, read.coverage, read.notes, read.reason) == (own.value, own.coverage, own.notes, own.reason)
        assert read.months == own.months
        assert (read.metric.unit, read.metric.derive, read.metric.name) == (
            own.metric.unit, own.metric.derive, own.metric.name,
        )  # fmt: skip
    assert {one.id: one.value for one in found.factors} == {one.id: one.value for one in material.annual.factors}
    assert found.denominators["vehicle"].value == 48_500
    assert [term.id for term in found.figures["ghg.scope2.location"].term.terms] == ["grid.location"]


def test_the_newest_published_file_counts(tmp_path: Path) -> None:
    """A published report goes before a newer draft, a restatement before what it restates; other plants are not read."""
    old, new = "2021-01-20 10:00:00 sha256:ff", "2021-03-01 10:00:00 sha256:00"
    write_report(tmp_path / "a1.json", a_statement("a", {POWER: "1"}, published=old))
    write_report(tmp_path / "a2.json", a_statement("a", {POWER: "2"}, published=new))
    write_report(tmp_path / "a3.json", a_statement("a", {POWER: "3"}, published=None), made="2022-01-01T00:00:00+08:00")
    write_report(tmp_path / "a4.json", a_statement("a", {POWER: "4"}, period="2021", published=None))
    write_report(tmp_path / "b.json", a_statement("b", {POWER: "5"}))
    (tmp_path / "group.json").write_text('{"group": "trucks", "metrics": []}')
    pattern = str(tmp_path / "*.json")

    def value(plant: str, period: str) -> Decimal | None:
        found = statement(pattern, plant, period)
        return None if found is None else found.figures[POWER].value

    assert [value("a", "2020"), value("a", "2021"), value("b", "2020"), value("c", "2020")] == [2, 4, 5, None]
    assert statement(str(tmp_path / "gone-*.json"), "a", "2020") is None


def test_digits_are_kept(tmp_path: Path) -> None:
    """A figure of 28 digits is read as it stands, which a float would not hold."""
    digits = "39525934.12345678901234567891"
    write_report(tmp_path / "a.json", a_statement("a", {POWER: digits}))
    found = statement(str(tmp_path / "a.json"), "a", "2020")
    assert found is not None
    assert found.figures[POWER].value == Decimal(digits)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"plant": "a"}', '{"plant": 1, "period": "2020"}', "\xff"])
def test_a_broken_file_is_no_missing_plant(tmp_path: Path, text: str) -> None:
    """A file that is no report is an error that names it."""
    (tmp_path / "a.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(StatementError, match=r"a\.json"):
        statement(str(tmp_path / "*.json"), "a", "2020")


@pytest.mark.parametrize("value", ["1e400", "-1E+61"])
def test_a_number_beyond_all_figures_is_refused(tmp_path: Path, value: str) -> None:
    """No figure has hundreds of digits."""
    file = write_report(tmp_path / "a.json", a_statement("a", {POWER: "777"}))
    file.write_text(file.read_text().replace('"value": 777', f'"value": {value}'))
    with pytest.raises(StatementError, match="is no figure"):
        statement(str(file), "a", "2020")
