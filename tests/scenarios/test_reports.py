"""This module proves what reports say of three days of a small plant, each figure worked out by hand.

NOx is 40 mg/m3 in 10,000 m3/h: 0.4 kg/h, 9.6 kg a day. On 1 March hours 9 and 10 have 60 mg/m3 (0.6 kg/h): 10.0 kg. On
2 March the monitor is out from 8 to 10, and 0.6 kg/h stands in twice: 22 x 0.4 + 1.2 = 10.0 kg. On 3 March the RTO is
cold from 10:50 to 11:05. A cap of 20 kg is passed on the third day: 20 kg is still within it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from builders import a_limit, a_plant, a_point, some_alarm_rules
from story import FEEDS, Story

from plantmon.model.plant import Basis, FaultClock, WorkTime
from plantmon.model.reading import State
from plantmon.permits import permit_of
from plantmon.reports import compliance, execution
from plantmon.reports.document import Document, Moment, Scope
from plantmon.reports.forms import part_as, report_as_json
from plantmon.reports.page import page
from plantmon.reports.parts.register import register, withdrawn
from plantmon.reports.period import parse_period
from plantmon.reports.workbook import workbook
from plantmon.requests import Requests
from plantmon.store import declarations
from plantmon.texts import LANGUAGES
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS

NOX = a_point("DA001.nox", interval_ms=MINUTE_MS)
FLOW = a_point("DA001.flow", interval_ms=MINUTE_MS, quantity="gas_flow", unit="m3/h", range_low=0, range_high=90_000)
RTO = a_point("DA001.rto", interval_ms=MINUTE_MS, quantity="temperature", unit="degC", range_low=0, range_high=1200)
HOURLY = a_limit(NOX)
CAP = a_limit(NOX, key="DA001/nox/mass/1y/permit/-", basis=Basis.MASS, window="1y", maximum=0.02, unit="t")
MONTH = a_limit(NOX, key="DA001/nox/mass/1mo/permit/-", basis=Basis.MASS, window="1mo", maximum=100.0, unit="kg")
COLD = a_limit(
    RTO, key="DA001/rto/level/reading/rule/-", subject="rto", basis=Basis.LEVEL, window="reading", minimum=760.0,
    maximum=None, hold_ms=2 * MINUTE_MS,
)  # fmt: skip
CLOCK = FaultClock(WorkTime(12 * HOUR_MS, None), WorkTime(None, 5))
PLANT = a_plant(
    (NOX, FLOW, RTO), (HOURLY, CAP, MONTH, COLD), feeds=FEEDS, alarms=some_alarm_rules(fault_clock=CLOCK),
    permit="91500000EXAMPLE001P",
)  # fmt: skip
DAY = PLANT.time.parse("2020-03-01")  # a Sunday
END = DAY + 3 * DAY_MS
LATER = END + HOUR_MS


def at(day: int, hour: float = 0) -> int:
    """Give an instant of March."""
    return DAY + (day - 1) * DAY_MS + int(hour * HOUR_MS)


def readings() -> Iterator[tuple[int, str, float, str]]:
    """Give the three days, a reading a minute."""
    for ts in range(DAY, END, MINUTE_MS):
        nox = 60.0 if at(1, 9) <= ts < at(1, 11) else 40.0
        flag = "D" if at(2, 8) <= ts < at(2, 10) else "N"
        is_cold = at(3, 10) + 50 * MINUTE_MS <= ts < at(3, 11) + 5 * MINUTE_MS
        yield ts, NOX.id, nox, flag
        yield ts, FLOW.id, 10_000.0, "N"
        yield ts, RTO.id, 700.0 if is_cold else 820.0, "N"


def told(folder: Path) -> Story:
    """Give the plant after the three days."""
    story = Story(folder, PLANT)
    story.send(readings(), LATER)
    story.settle(LATER)
    return story


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Give the plant after the three days; tests on it change no figure."""
    one = told(tmp_path_factory.mktemp("reports"))
    yield one
    one.close()


def ask(story: Story, kind: str, **body: Any) -> tuple[bool, dict[str, Any]]:
    """Ask as the command line does."""
    requests = Requests(story.pipeline, lambda: story.now_ms)
    return requests.handle(kind, {"language": "en", **body}, body.pop("by", "li"))


def note(story: Story, limit: str, at_ms: int, cause: str) -> tuple[bool, dict[str, Any]]:
    """Write a note."""
    return ask(story, "note", limit=limit, at=at_ms, cause=cause, action="relit")


def rows(story: Story, make: Any, start: int = DAY, end: int = END) -> list[dict[str, Any]]:
    """Give the rows of a part, by column."""
    with story.store.readers.snapshot() as connection:
        numbers = story.pipeline.numbers
        scope = Scope(connection, PLANT, permit_of(connection, PLANT), numbers, start, end, story.now_ms, "en")
        part = make(scope)
    return [dict(zip([column.key for column in part.columns], row, strict=True)) for row in part.rows]


def report(story: Story, period: str | None = None, language: str = "en") -> Document:
    """Make the compliance report of the three days, or the execution report of a period."""
    with story.store.readers.snapshot() as connection:
        chosen = parse_period(period or "2020-03")
        span = chosen.span(PLANT.time) if period else (DAY, END)
        permit, numbers = permit_of(connection, PLANT), story.pipeline.numbers
        scope = Scope(connection, PLANT, permit, numbers, *span, story.now_ms, language)
        return execution.document(scope, chosen) if period else compliance.document(scope)


def as_json(story: Story, period: str | None = None, language: str = "en") -> dict[str, Any]:
    """Give a report as its JSON says it."""
    found: dict[str, Any] = json.loads(report_as_json(report(story, period, language)))
    return found


def test_limits_are_counted(story: Story) -> None:
    """Of 72 hours 68 comply, two exceed, two have no data; the year exceeds while it goes on, the month does not."""
    limits = {row["limit"]: row for row in as_json(story)["limits"]}
    hourly = limits[HOURLY.key]
    assert [hourly[name] for name in ("windows", "ok", "exceed", "not_judged", "no_data")] == [72, 68, 2, 2, 2]
    assert hourly["judged_pct"] == 97.22  # 70 of 72
    assert (limits[CAP.key]["exceed"], limits[MONTH.key]["running"]) == (1, 1)
    assert (limits[COLD.key]["exceed"], limits[COLD.key]["ok"]) == (2, 70)


def test_register_has_every_exceedance(story: Story) -> None:
    """Two hours are one entry; an excursion has its own instants; the cap is exceeded from the day that passed it."""
    hour, cap, cold = as_json(story)["register"]
    assert (hour["limit"], hour["from"], hour["to"], hour["windows"]) == (
        HOURLY.key, "2020-03-01T09:00:00+08:00", "2020-03-01T11:00:00+08:00", 2
    )  # fmt: skip
    assert [hour[name] for name in ("peak", "mean", "bound", "multiple", "readings", "at_least")] == [
        60.0, 60.0, 50.0, 0.2, 120, False
    ]  # fmt: skip
    assert (cap["limit"], cap["first"], cap["last"]) == (CAP.key, "2020-03-03T00:00:00+08:00", None)
    assert cap["peak"] == pytest.approx(0.0296, rel=1e-12)
    assert (cold["first"], cold["last"]) == ("2020-03-03T10:50:00+08:00", "2020-03-03T11:04:00+08:00")
    assert (cold["from"], cold["to"]) == ("2020-03-03T10:00:00+08:00", "2020-03-03T12:00:00+08:00")
    assert (cold["peak"], cold["mean"], cold["excursions"]) == (700.0, 700.0, "2020-03-03 10:50:00 – 11:04:00 (700)")


def test_a_cap_is_not_exceeded_before_the_day_that_passes_it(story: Story) -> None:
    """A report on the first two days knows the year's sum of 20 kg, which is within the cap of 20 kg."""
    assert [row["limit"] for row in rows(story, register, end=at(3))] == [HOURLY.key]


def test_entries_are_whole(story: Story) -> None:
    """Asked for one hour, the register has the whole exceedance it belongs to."""
    [entry] = rows(story, register, at(1, 10), at(1, 10.5))
    assert (entry["from"], entry["to"], entry["windows"]) == (Moment(at(1, 9)), Moment(at(1, 11)), 2)


def test_capture_is_counted(story: Story) -> None:
    """70 of 72 hours of NOx are valid; all had readings, flagged as they were."""
    capture = {row["point"]: row for row in as_json(story)["capture"]}
    nox = capture["DA001.nox"]
    assert [nox[name] for name in ("calendar_hours", "stopped_hours", "due", "had", "valid")] == [72, 0, 72, 72, 70]
    assert [nox[f"{name}_pct"] for name in ("capture", "transfer", "valid", "effective")] == [97.22, 100, 97.22, 97.22]
    assert capture["DA001.flow"]["capture_pct"] == 100


def test_amounts_say_how_they_are_known(story: Story) -> None:
    """29.6 kg, of them 1.2 substituted for 2 of 72 hours; provisional while the quarter goes on."""
    [nox] = as_json(story)["amounts"]
    assert [nox[name] for name in ("amount", "measured", "substituted")] == pytest.approx([29.6, 28.4, 1.2], rel=1e-12)
    assert [nox[name] for name in ("measured_pct", "substituted_pct", "unknown_pct")] == [97.22, 2.78, 0]
    assert nox["state"] == "provisional"
    month, year = sorted(as_json(story)["caps"], key=lambda row: str(row["limit"]))
    assert (month["used"], month["cap"], month["used_pct"]) == (pytest.approx(29.6, rel=1e-12), 100, 29.6)
    assert (year["used_pct"], year["passed_on"], year["period"]) == (148, "2020-03-03", "2020")


def test_outages_are_under_the_clock(story: Story) -> None:
    """The monitor was out for two hours of Monday 2 March: told by 20:00, repaired by Monday night; both were kept."""
    [outage] = as_json(story)["outages"]
    assert (outage["point"], outage["from"], outage["to"], outage["lasted_h"]) == (
        "DA001.nox", "2020-03-02T08:00:00+08:00", "2020-03-02T10:00:00+08:00", 2
    )  # fmt: skip
    assert (outage["report_by"], outage["repair_by"]) == ("2020-03-02T20:00:00+08:00", "2020-03-10T00:00:00+08:00")
    assert (outage["state"], outage["report_overdue"], outage["repair_overdue"]) == ("repaired", False, False)


def test_execution_report_of_the_quarter(story: Story) -> None:
    """Tonnes by month with a dash and its reason where nothing was measured, the analysis, and what must be known."""
    found = as_json(story, "2020-Q1")
    [nox] = found["emitted"]
    assert (nox["2020-01"], nox["2020-02"]) == (None, None)
    assert nox["missing"] == {"2020-01": "no_amount", "2020-02": "no_amount"}
    assert (nox["2020-03"], nox["sum"]) == pytest.approx((0.0296, 0.0296), rel=1e-12)
    assert (nox["permitted_year"], nox["state"]) == (0.02, "provisional, 3 of 91 days")
    analysed = {row["window"]: row for row in found["analysed"]}
    hourly = analysed["1-hour mean"]
    assert [hourly[name] for name in ("judged", "minimum", "maximum", "exceeded")] == [70, 40, 60, 2]
    assert hourly["mean"] == pytest.approx((68 * 40 + 2 * 60) / 70, rel=1e-11)
    assert (hourly["complying_pct"], hourly["most_over"], hourly["mean_over"]) == (97.14, 0.2, 0.2)
    assert analysed["single reading"]["missing"] == {"mean": "single_readings"}
    assert [row["start"][:13] for row in found["exceedance_list"]] == [
        "2020-03-01T09",
        "2020-03-03T00",
        "2020-03-03T10",
    ]
    assert [row["kind"] for row in found["downtime"]] == ["monitor out of order"]
    assert found["notices"][0].startswith("This period is not over")


@pytest.mark.parametrize("period", [None, "2020-03", "2020-Q1", "2020"])
def test_both_languages_say_the_same(story: Story, period: str | None) -> None:
    """Chinese and English have the same figures in every part, and no part lacks a word."""
    english, chinese = (as_json(story, period, language) for language in LANGUAGES)
    assert english.keys() == chinese.keys()

    def figures(found: dict[str, Any]) -> list[Any]:
        lists = [found[name] for name in found if isinstance(found[name], list)]
        cells = [cell for rows in lists for row in rows if isinstance(row, dict) for cell in row.values()]
        return [cell for cell in cells if not isinstance(cell, str)]

    assert figures(english) == figures(chinese)
    headings = [column.heading for part in report(story, period, "zh").parts for column in part.columns]
    assert not [heading for heading in headings if heading.isascii() and not heading[:4].isdigit()]
    assert "自动监测数据有效性统计" in page(report(story, period, "zh"))


@pytest.mark.parametrize("period", [None, "2020-Q1"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_part_is_a_table_and_a_sheet(story: Story, period: str | None, language: str) -> None:
    """Each part is one CSV table with a heading a column, and one sheet with the same heads."""
    found = report(story, period, language)
    book = openpyxl.load_workbook(io.BytesIO(workbook(found)))
    for sheet, part in zip(book.worksheets[1:], found.parts, strict=True):
        head, *lines = csv.reader(io.StringIO(part_as(part, found.scope, "csv")))
        assert all(head)
        assert len(set(head)) == len(head)
        assert [cell.value for cell in sheet[1]] == head
        assert all(len(line) == len(head) for line in lines)
        assert len(lines) == len(part.rows)


def test_notes_survive_growing_together(tmp_path: Path) -> None:
    """Two exceedances have a note each; a late hour joins them, and the newest note stands first."""
    story = Story(tmp_path, PLANT)
    for hour, value in ((8, 40.0), (9, 60.0), (11, 60.0), (12, 40.0)):
        story.hour(NOX.id, at(1, hour), value)
    story.settle(at(1, 14))
    assert note(story, HOURLY.key, at(1, 9.5), "burner")[0]
    done, answer = note(story, "nox/concentration", at(1, 11.99), "filter")
    assert (done, answer["start"]) == (True, "2020-03-01 11:00:00")
    assert len(rows(story, register)) == 2
    story.hour(NOX.id, at(1, 10), 70.0, now_ms=at(1, 14))
    story.settle(at(1, 14))
    [entry] = rows(story, register)
    assert (entry["windows"], entry["peak"], entry["cause"]) == (3, 70.0, "filter")
    assert entry["earlier_notes"] == "2020-03-01 14:00:00 li, window 2020-03-01 09:00:00: burner / relit"
    story.close()


def test_what_was_taken_back_stays_readable(tmp_path: Path) -> None:
    """A mark takes one hour of an exceedance back: the entry is shorter, the hour is listed apart with its note."""
    story = told(tmp_path)
    assert note(story, HOURLY.key, at(1, 10), "wrong span gas")[0]
    story.store.write(
        lambda connection: declarations.add_mark(
            connection, PLANT.time, "DA001", NOX.id, (at(1, 10), at(1, 11)), State.MAINTENANCE, "li", "span", LATER
        )
    )
    story.settle(LATER)
    hour = next(row for row in rows(story, register) if row["limit"] == HOURLY.key)
    assert (hour["to"], hour["windows"], hour["cause"]) == (Moment(at(1, 10)), 1, None)
    [taken] = [row for row in rows(story, withdrawn) if row["limit"] == HOURLY.key]
    assert (taken["from"], taken["value"], taken["withdrawn_at"]) == (Moment(at(1, 10)), 60.0, Moment(LATER))
    assert taken["now_said"] == "later or corrected data: not judged, no data"
    assert (taken["cause"], taken["stands_again"]) == ("wrong span gas", False)
    story.close()


@pytest.mark.parametrize(
    ("limit", "hour", "cause", "words"),
    [
        ("so2", 9, "x", "no limit has so2 in its key"),
        ("rto", 12, "x", "is exceeded"),
        (HOURLY.key, 11, "x", "is exceeded"),  # the end is not part of it
        (HOURLY.key, 9, " ", "--cause must not be empty"),
    ],
)
def test_notes_that_are_refused(story: Story, limit: str, hour: float, cause: str, words: str) -> None:
    """A note to nothing, or without words, is refused with one sentence."""
    done, answer = note(story, limit, at(1, hour), cause)
    assert not done
    assert words in answer["error"]


def test_a_part_of_a_key_is_enough_where_one_is_exceeded(story: Story) -> None:
    """`nox` has the year's cap too, but that is exceeded for long; the answer names the hourly limit and its window."""
    with story.store.readers.snapshot() as connection:
        before = connection.execute("SELECT count(*) FROM exceedance_note").fetchone()[0]
    done, answer = note(story, "nox", at(1, 9), "burner")
    assert (done, answer["limit"], answer["note"]) == (True, HOURLY.key, before + 1)


def test_a_part_of_two_exceeded_keys_is_refused(tmp_path: Path) -> None:
    """Two standards for one thing, both exceeded: the one that is meant must be named."""
    local = a_limit(NOX, key="DA001/nox/concentration/1h/local/-", standard="local")
    story = Story(tmp_path, a_plant((NOX,), (HOURLY, local), feeds=FEEDS))
    story.hour(NOX.id, at(1, 9), 60.0)
    story.settle(at(1, 11))
    done, answer = note(story, "nox", at(1, 9), "burner")
    assert (done, HOURLY.key in answer["error"], local.key in answer["error"]) == (False, True, True)
    assert note(story, "1h/local", at(1, 9), "burner")[1]["limit"] == local.key
    story.close()


def test_reports_of_outages(tmp_path: Path) -> None:
    """An outage that lasts is overdue until the authority was told in time; late data may move where it began."""
    story = Story(tmp_path, PLANT)
    story.hour(NOX.id, at(2, 7), 40.0)
    for hour in range(8, 23):
        story.hour(NOX.id, at(2, hour), 40.0, "D")
    story.settle(at(2, 23) + 2 * MINUTE_MS)

    def outage() -> dict[str, Any]:
        [found] = [row for row in rows(story, compliance.PARTS["outages"]) if row["point"] == NOX.id]
        return found

    assert (outage()["state"], outage()["report_overdue"]) == ("open", True)
    assert ask(story, "fault_report", point=NOX.id, at=at(2, 7), note="bureau")[1]["error"].endswith(
        "had no outage in the month before 2020-03-02 07:00:00"
    )
    assert not ask(story, "fault_report", point=NOX.id, at=at(3), note="bureau")[0]  # lies ahead
    done, answer = ask(story, "fault_report", point=NOX.id, at=at(2, 15), note="bureau, by telephone")
    assert (done, answer["start"]) == (True, "2020-03-02 08:00:00")
    assert (outage()["reported_at"], outage()["report_overdue"]) == (Moment(at(2, 15)), False)
    story.store.write(
        lambda connection: declarations.add_mark(
            connection, PLANT.time, "DA001", NOX.id, (at(2, 7), at(2, 8)), State.FAULT, "li", "earlier", story.now_ms
        )
    )
    story.settle(story.now_ms)
    assert (outage()["from"], outage()["reported_at"]) == (Moment(at(2, 7)), Moment(at(2, 15)))
    story.close()
