"""This module proves what a digest's mail says: all of it in both forms, nothing empty, no markup from outside."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from msgspec import structs
from notify_plant import DATE, HOUR, NOW, breach, cleared, plant

from plantmon.notify import digest_facts
from plantmon.notify.digest import compose_digest, write
from plantmon.notify.digest_facts import (
    AlarmLine,
    CapLine,
    Compared,
    Digest,
    DueLine,
    EntryLine,
    ExceedanceLine,
    FaultLine,
    FrequentAlarm,
    GapLine,
    HeldLine,
    LimitLine,
    OutlookLine,
    Service,
    What,
    WithdrawnLine,
    Words,
)
from plantmon.texts import sentences
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS

PLANT = plant()
DAY = HOUR - 8 * HOUR_MS - DAY_MS  # 2020-02-29, a Saturday
SECTIONS = [key.removeprefix("digest.section_") for key in sentences() if key.startswith("digest.section_")]
STACK = What(
    Words("DA002 Stack <b>", "DA002 排气筒 <b>"), Words("NMHC & more", "非甲烷总烃"), Words("1-hour mean", "小时均值")
)
SERVICE = Service("0.1.0", 2880, 0, (), 0, 0, 4, 0, 50 * 10**9, 200 * 10**9, False, (), ())
SCRIPT = "<script>alert(1)</script>\r\nBcc: x@x.test"
VOID = {"meta", "br", "img"}


def words(text: str) -> Words:
    """Give one text for both languages."""
    return Words(text, text)


def quiet(**changes: Any) -> Digest:
    """Give a day on which nothing happened."""
    line = LimitLine(
        STACK, "≤ 60 mg/m³", "mg/m3", 24, 0, 0, 0, 0, None, 30.0, 60.0, 0.5, True, False, DAY, DAY + HOUR_MS
    )
    given: dict[str, Any] = {
        "edition": "daily", "start": DAY, "end": DAY + DAY_MS, "made": NOW, "concerns": {}, "notices": (),
        "limits": (line,), "exceedances": (), "withdrawn": (), "outlook": (), "alarms": (), "gaps": (), "faults": (),
        "calibrations": (), "entries": (), "due": (), "caps": (), "compared": (), "frequent": (), "service": SERVICE,
    }  # fmt: skip
    return Digest(**given | changes)


def full(**changes: Any) -> Digest:
    """Give a day on which everything happened."""
    nine = DAY + 9 * HOUR_MS
    over = LimitLine(
        STACK, "≤ 60 mg/m³", "mg/m3", 24, 2, 1, 3, 1, words("no data 3"), 78.437, 60.0, 78.437 / 60, True, False, nine,
        nine + HOUR_MS,
    )  # fmt: skip
    given: dict[str, Any] = {
        "concerns": {"exceedances": 1, "alarms": 2, "service": 1},
        "notices": (words("not closed"),),
        "limits": (over,),
        "exceedances": (
            ExceedanceLine(STACK, nine, nine + 2 * HOUR_MS, 78.437, 60.0, "mg/m3", 2),
            ExceedanceLine(STACK, nine, None, 61.0, 60.0, "mg/m3", 1, True, True, SCRIPT, "relit"),
        ),
        "withdrawn": (WithdrawnLine(STACK, nine, nine + HOUR_MS, 61.0, 60.0, "mg/m3", words("complies, 59 mg/m3")),),
        "outlook": (OutlookLine(STACK, 66.0, 60.0, "mg/m3", "max", 41.239, False, 20 * MINUTE_MS),),
        "alarms": (
            AlarmLine(12, "breach", "breach", "acknowledged", nine, None, SCRIPT, None, breach()),
            AlarmLine(13, "silent", "data", "shelved", nine, None, None, NOW + HOUR_MS, {"kind": "silent"}),
            AlarmLine(14, "of_tomorrow", "data", "new_state", nine, None, None, None, {"kind": "of_tomorrow"}),
        ),
        "gaps": (
            GapLine(STACK.outlet, "DA002.nmhc", STACK.subject, 0.875, ((nine, nine + 3 * HOUR_MS, "missing"),)),
            GapLine(None, "E-MAIN", words("electricity"), None, (), never=True),
        ),
        "faults": (FaultLine("DA002.nmhc", STACK.subject, nine, None, NOW - HOUR_MS, None, True, NOW + DAY_MS, False),),
        "calibrations": (EntryLine(words("Calibration"), "DA002.nmhc", words("passed"), "li", nine),),
        "entries": (EntryLine(words("Mark"), "DA002", words("maintenance"), "li", nine, nine + HOUR_MS, SCRIPT),),
        "due": (DueLine(words("Calibration"), "DA002.nmhc", NOW - HOUR_MS, True),),
        "caps": (
            CapLine(STACK, "2020", 28.1, 35.0, "t", 0.803, None, "2020-05-12", None, True, words("provisional")),
            CapLine(STACK, "2020-02", None, 3.0, "t", None, None, None, None, False),
        ),
        "compared": (Compared(words("Windows exceeded"), "", 2.0, None),),
        "frequent": (FrequentAlarm("breach", 7, breach()),),
        "service": structs.replace(
            SERVICE, rejected=1234, reasons=(("future", 1200), ("made_up", 34)), refused=1, working=9,
            plant_files=((nine, "abcdef01"),), failing=(("permit", nine, SCRIPT),), is_disk_low=True,
        ),
        "held": (HeldLine("cleared", "data", nine, cleared()), HeldLine("unheard_of", "data", nine, {"kind": "x"})),
        "left_out": {"limits": 3},
    }  # fmt: skip
    return quiet(**given | changes)


class Page(HTMLParser):
    """Reads a page: its words, its tags in balance, and what it would load from elsewhere."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.loads: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a tag in."""
        self.tags.add(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "background")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Take a tag out, the innermost."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep what a reader sees."""
        if self.open and self.open[-1] not in ("style", "title") and data.strip():
            self.words.append(" ".join(data.split()))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_all_well(language: str) -> None:
    """A day without anything says so first, and has no section but limits and plantmon itself."""
    written = write(quiet(), PLANT, language)
    assert {"zh": "一切正常", "en": "All well"}[language] in written.text.splitlines()[3]
    assert written.subject.endswith({"zh": "日报 2020-02-29 星期六: 一切正常",
                                     "en": "Daily digest Saturday 2020-02-29: All well"}[language])  # fmt: skip
    titles = {name: sentences()[f"digest.section_{name}"][language] for name in SECTIONS}
    shown = {name for name, title in titles.items() if title in written.text.splitlines()}
    assert shown == {"limits", "service"}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_section_is_shown(language: str) -> None:
    """A day of everything has every section, in text and in HTML, each with lines under it."""
    written = write(full(), PLANT, language)
    lines, page = written.text.splitlines(), Page(written.html)
    for name in SECTIONS:
        title = sentences()[f"digest.section_{name}"][language]
        assert title in page.words, name
        assert lines[lines.index(title) + 1].startswith("- "), name


@pytest.mark.parametrize("language", ["zh", "en", "both"])
def test_both_forms_say_the_same(language: str) -> None:
    """Every head, figure and note of the HTML stands in the text."""
    written = write(full(), PLANT, language)
    flat = " ".join(written.text.split())
    missing = [word for word in Page(written.html).words if word.removesuffix(" ·") not in flat and word != "\u00a0"]
    assert missing == []


def test_markup_of_others_is_words() -> None:
    """Names, causes and reasons from outside make no tag, no header and no line of their own; nothing is loaded."""
    mail = compose_digest(digest_facts.written(full()), PLANT, "both", sender="p@x.test", addresses=["a@x.test"],
                          message_id="<1@x.test>", date=DATE)  # fmt: skip
    html, text = (mail.get_body((kind,)).get_content() for kind in ("html", "plain"))  # type: ignore[union-attr]
    page = Page(html)
    assert "script" not in page.tags
    assert "b" not in page.tags
    assert page.loads == []
    assert mail["Bcc"] is None
    assert "Bcc: x@x.test" not in text.splitlines()
    assert "DA002 Stack <b> · NMHC & more" in page.words


def test_figures_of_a_limit() -> None:
    """A limit's line has worst value, bound, share and counts; its bar ends beyond the mark that is the limit."""
    written = write(full(), PLANT, "en")
    line = written.text[written.text.index("Measured against limits") :]
    assert "NMHC & more: 78.4, limit 60 mg/m³\n    1-hour mean, worst 09:00–10:00, 131 % of the limit\n" in line
    assert "exceeded 2 of 20, warned 1, not judged 3 (no data 3), at rest 1" in line
    assert "and 3 more. All of it: plantmon compliance" in line
    # 131 % is beyond the bar's end at 125 %: full left of the mark at 80 %, and full right of it.
    widths = re.findall(r'width="(\d+)%" bgcolor="#d92d20"', written.html)
    assert widths == ["80", "20"]
    assert re.findall(r'width="(\d+)%" bgcolor="#17b26a"', write(quiet(), PLANT, "en").html) == ["40"]


def test_instants_of_the_day_are_short() -> None:
    """Times of the digest's day stand without a date; others with month and day."""
    text = write(full(), PLANT, "en").text
    assert "1-hour mean, 09:00–11:00, 2 windows" in text
    assert "report overdue since 03-01 08:00" in text


def test_what_people_did_is_told() -> None:
    """An alarm says who acknowledged it or until when it is shelved; one of a kind not known here keeps its code."""
    text = write(full(), PLANT, "en").text
    assert "no. 12, since 09:00, acknowledged by <script>" in text
    assert "no. 13, since 09:00, shelved until 03-01 10:00" in text
    assert "- of_tomorrow (raised)\n    no. 14, since 09:00, new_state" in text
    assert "- x (unheard_of): 09:00" in text


def test_weekly_and_monthly_titles() -> None:
    """The other editions name their days, and the month."""
    week = write(quiet(edition="weekly", start=DAY - 6 * DAY_MS), PLANT, "zh")
    assert week.subject == "[plantmon] 周报 2020-02-23 至 2020-02-29: 一切正常"
    month = write(quiet(edition="monthly", start=DAY - 28 * DAY_MS), PLANT, "en")
    assert month.subject == "[plantmon] Monthly digest 2020-02: All well"


def test_stored_and_read_again() -> None:
    """What stands in the outbox gives the same digest again; anything else is refused."""
    assert digest_facts.read(digest_facts.written(full())) == full()
    with pytest.raises(ValueError, match="missing required field"):
        digest_facts.read({"kind": "breach"})


def test_every_concern_and_edition_has_words() -> None:
    """Each edition, concern and command has its sentences."""
    for name in digest_facts.EDITIONS:
        assert f"digest.title_{name}" in sentences()
    for name in digest_facts.CONCERNS:
        assert f"digest.concern_{name}" in sentences()
