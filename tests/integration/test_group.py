"""This module proves a group of twenty plants: its report from one real InfluxDB, from files, and by fractions, is one."""

# ruff: noqa: E501 - a case a line reads as a table

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from benchmarks.forwarding import drain, writer_of
from plantmon.errors import DeliveryError
from plantmon.esg.sent import SentAgain
from plantmon.forward.stage import Forwarder
from plantmon.group.annual import annual, holdings
from plantmon.group.sources import Sources
from plantmon.group.sums import Sums
from plantmon.model.metric import Annual, Line
from plantmon.plant.group import load_group_text
from simulators.influx import Influx
from simulators.many_plants import BLIND, BUSES, COUNT, LATE, NO_GAS, YEARS, Works, group_file

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

BEFORE, YEAR = map(str, YEARS)
RATIOS = ("energy.share.", "energy.per_output")  # what no sum gives
# Notes that an InfluxDB has, and those a group makes; what else a plant notes of a figure is in its file alone.
SENT = ("plants_", "intensity_of", "no_plant_of_both", "only_of", "change_unlike", "provisional", "at_least", "co2_only",
        "as_carbon")  # fmt: skip
FILES = '{{report: "reports/{}-*.json"}}'


class Group(NamedTuple):
    """The twenty plants: their folder, shares by id, each one's report of 2022 as it stands, and the InfluxDB."""

    folder: Path
    shares: dict[str, str]
    reports: dict[str, dict[str, Any]]
    influx: Influx

    def source(self) -> str:
        """Say where the InfluxDB is, as a group file does."""
        return f"{{{{influx: {{{{url: '{self.influx.url}', org: plant, bucket: {self.influx.bucket}, token_file: token}}}}}}}}"

    def annual(self, source: str, shares: dict[str, str] | None = None, previous: str | None = BEFORE) -> Annual:
        """Make the group's report from a source."""
        group = load_group_text(group_file(shares or self.shares, source), "group.yaml", self.folder)
        sources = Sources()
        before = Sums(holdings(group, previous, sources.read)) if previous else None
        return annual(group, YEAR, Sums(holdings(group, YEAR, sources.read)), previous, before)

    def sum_of(self, metric: str, *, but: str = "") -> Fraction | None:
        """Add up what the plants published, share times figure, in fractions straight from their files."""
        found = []
        for id, report in self.reports.items():
            value = figure(report, metric)
            if id != but and value is not None:
                found.append(Fraction(self.shares[id]) / 100 * Fraction(value))
        return sum(found, Fraction(0)) if found else None


def figure(report: dict[str, Any], metric: str) -> Decimal | None:
    """Find what a plant's report says of a metric."""
    values = [one["value"] for one in report["metrics"] if one["id"] == metric]
    return values[0] if values else None


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    """Have twenty plants publish two years, into files and into one InfluxDB."""
    folder = tmp_path_factory.mktemp("group")
    (folder / "reports").mkdir()
    (folder / "influx").mkdir()
    shares, reports = {}, {}
    with Influx(folder / "influx") as influx:
        influx.create()
        (folder / "token").write_text(f"{influx.token}\n")
        for number in range(1, COUNT + 1):
            with Works(folder / f"{number}", number) as works:
                for year in YEARS:
                    works.publish(year)
                    written = works.report(year)
                    (folder / "reports" / f"{works.id}-{year}.json").write_text(written, encoding="utf-8")
                shares[works.id], reports[works.id] = (
                    works.share,
                    json.loads(written, parse_float=Decimal, parse_int=Decimal),
                )
                turns = drain(Forwarder(works.store, works.plant, writer_of(influx), SentAgain(works.plant.time)))
                assert turns[-1].fault is None
        yield Group(folder, shares, reports, influx)


def lines_of(found: Annual) -> dict[str, Line]:
    """Give a report's lines by metric."""
    return {line.figure.metric.id: line for line in found.lines}


def told(line: Line) -> tuple[object, ...]:
    """Give what a line says that does not depend on where it was read."""
    before = line.previous.value if line.previous else None
    notes = {note for note in line.figure.notes if note.startswith(SENT)}
    return line.figure.value, before, line.change, dict(line.per), dict(line.previous_per), line.figure.coverage, notes


def test_twenty_plants_are_one_sum(group: Group) -> None:
    """From files and from the InfluxDB each figure of the group is, to the last digit, the sum of the plants' own."""
    files, influx = lines_of(group.annual(FILES)), lines_of(group.annual(group.source()))
    assert set(files) == set(influx) == {one["id"] for report in group.reports.values() for one in report["metrics"]}
    summed = 0
    for id, line in files.items():
        assert told(influx[id]) == told(line), id
        if not id.startswith(RATIOS):
            wanted = group.sum_of(id)
            value = line.figure.value
            assert (None if value is None else Fraction(value)) == wanted, id
            summed += wanted is not None
    assert summed > 25
    assert len(group.reports) == COUNT


def test_intensities_are_of_sums(group: Group) -> None:
    """Power per truck is that of the plants that make trucks over their trucks; the notes say which these are."""
    line = lines_of(group.annual(group.source()))["electricity.purchased"]
    makers = {f"works-{number:02}" for number in range(1, COUNT + 1) if number not in BUSES}

    def summed(metric: str) -> Fraction:
        return sum(
            (Fraction(group.shares[id]) * Fraction(figure(group.reports[id], metric) or 0) for id in makers),
            Fraction(0),
        )

    wanted = summed("electricity.purchased") / summed("production.truck")
    assert float(line.per["truck"] or 0) == pytest.approx(float(wanted), rel=1e-15)
    [note] = [note for note in line.figure.notes if note.startswith("intensity_of:truck")]
    assert set(note.removeprefix("intensity_of:truck: ").split(", ")) == makers
    share = lines_of(group.annual(FILES))["energy.share.diesel"].figure.value
    top, bottom = group.sum_of("energy.diesel"), group.sum_of("energy.total")
    assert top is not None
    assert bottom is not None
    assert float(share or 0) == pytest.approx(float(100 * top / bottom), rel=1e-15)


@pytest.mark.parametrize("source", ["files", "influx"])
def test_what_lacks_is_named(group: Group, source: str) -> None:
    """A dead meter, a plant without gas and a provisional amount are named with their figure, from either source."""
    lines = lines_of(group.annual(FILES if source == "files" else group.source()))
    assert f"plants_unknown:works-{BLIND:02}" in lines["water.purchased"].figure.notes
    assert "plants_without:" + ", ".join(f"works-{one:02}" for one in NO_GAS) in lines["natural_gas"].figure.notes
    assert f"plants_provisional:works-{LATE:02}" in lines["air.nox"].figure.notes
    assert lines["water.purchased"].change is None
    assert f"change_unlike:works-{BLIND:02}" in lines["water.purchased"].figure.notes


def test_a_missing_plant_is_no_zero(group: Group, tmp_path: Path) -> None:
    """A plant whose file is not there, and one that never published into the InfluxDB, is in no sum and named in all."""
    gone = group.folder / "reports" / f"works-05-{YEAR}.json"
    kept = gone.rename(tmp_path / gone.name)
    try:
        found = group.annual(FILES, previous=None)
    finally:
        kept.rename(gone)
    assert found.notes == ("group_missing:works-05",)
    for id, line in lines_of(found).items():
        if id.startswith(RATIOS):
            continue
        wanted = group.sum_of(id, but="works-05")
        assert (None if line.figure.value is None else Fraction(line.figure.value)) == wanted, id
        if wanted is not None:
            assert "plants_missing:works-05" in line.figure.notes
    more = {**group.shares, "works-21": "12.5"}
    lacking, whole = group.annual(group.source(), more, None), group.annual(group.source(), None, None)
    assert lacking.notes == ("group_missing:works-21",)
    for id, line in lines_of(lacking).items():
        assert line.figure.value == lines_of(whole)[id].figure.value
        assert line.figure.coverage.missing > lines_of(whole)[id].figure.coverage.missing or line.figure.value is None


def test_a_draft_is_provisional(group: Group, tmp_path: Path) -> None:
    """A plant that has not published is in the sums with its draft, and named as provisional with each of them."""
    with Works(tmp_path / "draft", 3) as works:
        draft = works.report(YEARS[-1])
    file = group.folder / "reports" / f"works-03-{YEAR}.json"
    kept = file.read_text(encoding="utf-8")
    file.write_text(draft, encoding="utf-8")
    try:
        found = group.annual(FILES, previous=None)
    finally:
        file.write_text(kept, encoding="utf-8")
    assert found.notes == ("group_provisional:works-03",)
    power = lines_of(found)["electricity.purchased"].figure
    assert Fraction(power.value or 0) == group.sum_of("electricity.purchased")
    assert "plants_provisional:works-03" in power.notes


def test_each_figure_explains_itself(group: Group) -> None:
    """A figure of the group has twenty terms, share times figure, with the factors of each plant, from the InfluxDB too."""
    for source in (FILES, group.source()):
        figure_of_group = lines_of(group.annual(source, previous=None))["ghg.scope2.location"].figure
        terms = figure_of_group.term.terms
        assert len(terms) == COUNT
        assert sum(Fraction(term.value or 0) for term in terms) == Fraction(figure_of_group.value or 0)
        factors = {term.id: [one.value for one in term.terms[0].terms if one.id == "grid.location"] for term in terms}
        # grids of the year 2022: national, chongqing, southwest, central
        grids = [Decimal(one) for one in ("0.5366", "0.5227", "0.2268", "0.5395")]
        assert factors == {f"works-{number:02}": [grids[number % 4]] for number in range(1, COUNT + 1)}


def test_a_server_that_is_away_is_no_missing_plant(group: Group) -> None:
    """An InfluxDB that refuses or does not answer ends the report with the plant and the answer."""
    (group.folder / "wrong").write_text("other")
    with pytest.raises(DeliveryError, match=r"works-01.*401"):
        group.annual(group.source().replace("token_file: token", "token_file: wrong"))
    with pytest.raises(DeliveryError, match="works-01"):
        group.annual(group.source().replace(group.influx.url, "http://127.0.0.1:1"))
