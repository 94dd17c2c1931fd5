"""This module proves that a group file is read strictly: every mistake with its line and the nearest right spelling."""

# ruff: noqa: E501 - a case a line reads as a table

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plantmon.errors import PlantFileError
from plantmon.model.group import Approach, InfluxBucket, ReportFiles
from plantmon.plant.group import load_group, load_group_text

HERE = Path("/srv/group")
TEXT = """\
group:
  id: trucks
  name: {zh: 卡车集团, en: Truck group}
  approach: equity
plants:
  - id: cq-truck
    name: {zh: 重庆厂, en: Chongqing}
    share: 60 %
    from: {report: "reports/cq-*.json"}
  - id: bj-bus
    name: Beijing
    share:
      - {value: 50 %, to: 2019}
      - {value: 75.5 %, from: 2020}
    from:
      influx: {url: "http://10.0.0.7:8086", org: plant, bucket: plantmon, token_file: token}
targets:
  - {metric: ghg.total, max: 90 t, year: 2020}
"""


def told(text: str, language: str = "en") -> list[str]:
    """Give the mistakes of a text."""
    with pytest.raises(PlantFileError) as caught:
        load_group_text(text, "group.yaml", HERE, language)
    return list(caught.value.problems)


def test_a_group_file_loads() -> None:
    """Names, approach, shares by year and sources are as written; paths are taken from the file's folder."""
    group = load_group_text(TEXT.replace("90 t", "90000 t"), "group.yaml", HERE)
    assert (group.id, group.name.zh, group.approach) == ("trucks", "卡车集团", Approach.EQUITY)
    first, second = group.members
    assert first.source == ReportFiles("/srv/group/reports/cq-*.json")
    assert second.source == InfluxBucket("http://10.0.0.7:8086", "plant", "plantmon", HERE / "token")
    assert [first.share_in(year) for year in (1990, 2020)] == [Decimal("0.6"), Decimal("0.6")]
    assert [second.share_in(year) for year in (2019, 2020)] == [Decimal("0.5"), Decimal("0.755")]
    assert group.targets[0].maximum == 90_000
    assert group.time.zone.key == "Asia/Shanghai"


def test_a_plant_without_a_share_in_a_year() -> None:
    """A plant that came later is none of the group's before."""
    text = TEXT.replace("      - {value: 50 %, to: 2019}\n", "")
    assert load_group_text(text, "group.yaml", HERE).members[1].share_in(2019) is None


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("approach:", "approch:", 4, "group.approch: unknown key, expected one of: id, name, approach, timezone; did you mean approach?"),
        ("equity", "equty", 4, "group.approach: equty is not possible here"),
        ("plants:", "plant:", 5, "did you mean plants?"),
        ("id: cq-truck", "id: CQ", 6, "plants[1].id"),
        ("id: bj-bus", "id: cq-truck", 10, "plants[2].id: the plant cq-truck stands in line 6 already"),
        ("share: 60 %", "share: 0.6", 8, "plants[1].share: 0.6 is no share, expected per cent with its sign"),
        ("share: 60 %", "share: 101 %", 8, "101 % is no share"),
        ("share: 60 %", "share: []", 8, "plants[1].share"),
        ("from: {report:", "from: {raport:", 9, "did you mean report?"),
        ('{report: "reports/cq-*.json"}', "{}", 9, "`report` or from `influx`"),
        ("from: 2020}", "from: 2019}", 14, "plants[2].share[2]: the share of line 13 holds in the same years"),
        ("value: 75.5 %", "value: 75.5", 14, "plants[2].share[2].value"),
        ('"http://10.0.0.7:8086"', "10.0.0.7", 16, "plants[2].from.influx.url: 10.0.0.7 is no address"),
        ("bucket: plantmon, ", "", 16, "plants[2].from.influx.bucket: this is missing"),
        ("ghg.total", "ghg.totel", 18, "did you mean ghg.total?"),
        ("max: 90 t", "max: 90 kWh", 18, "targets[1].max: kWh is no unit of ghg.total"),
        ("max: 90 t, ", "", 18, "neither min nor max"),
        ("equity", "operational", 8, "plants[1].share: 60 % under the approach operational"),
        ("equity", "financial", 14, "plants[2].share[2].value: 75.5 % under the approach financial"),
    ],
)  # fmt: skip
def test_a_mistake_has_its_line(old: str, new: str, line: int, said: str) -> None:
    """Each mistake is told at its line with what was expected; in Chinese too."""
    assert old in TEXT
    bad = TEXT.replace(old, new, 1)
    found = told(bad)
    assert any(one.startswith(f"group.yaml:{line}: ") and said in one for one in found), found
    chinese = told(bad, "zh")
    assert len(chinese) == len(found)
    assert chinese != found


def test_every_mistake_in_one_run() -> None:
    """Mistakes in three places are told together, in the file's order."""
    bad = TEXT.replace("approach", "aproach").replace("60 %", "60").replace("ghg.total", "ghg")
    assert [one.split(":")[1] for one in told(bad)] == ["4", "8", "18"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """What cannot be read is told like any other mistake."""
    with pytest.raises(PlantFileError, match=r"group\.yaml:1: .*cannot be read"):
        load_group(tmp_path / "group.yaml")


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(TEXT)), st.text(st.sampled_from("{}[]:,-#\n \"'%0az|&*!"), max_size=4), st.integers(0, 6))
def test_no_text_breaks_the_reader(place: int, put: str, cut: int) -> None:
    """Whatever a slip of the hand makes of the file, it loads or its mistakes are told."""
    try:
        load_group_text(TEXT[:place] + put + TEXT[place + cut :], "group.yaml", HERE)
    except PlantFileError as error:
        assert error.problems
