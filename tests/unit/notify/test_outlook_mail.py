"""This module proves what a mail says of a window that still runs."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import pytest
from notify_plant import DATE, HOUR, plant

from plantmon.notify import facts as facts_of
from plantmon.notify.compose import compose
from plantmon.notify.sketch import sketch
from plantmon.times import HOUR_MS, MINUTE_MS

NOW = HOUR + 37 * MINUTE_MS + 20_000
FACTS: dict[str, Any] = {
    "kind": "outlook", "alarm": 7, "outlet": "DA002", "point": "DA002.nmhc", "limit": "nmhc-1h", "window": "1h",
    "start": HOUR, "end": HOUR + HOUR_MS, "since": HOUR + 37 * MINUTE_MS, "value": 43.162, "bound": 60.0,
    "side": "max", "unit": "mg/m3", "standard": "permit 2020", "at_least": False, "share": 37 / 60,
    "left_ms": 23 * MINUTE_MS, "allowed": 61.02, "projected": 68.4, "exhausted": False,
    "peak": None, "total": 0.0, "windows": 0,
}  # fmt: skip


def composed(language: str, event: str = "raised", **changes: Any) -> EmailMessage:
    """Compose the mail."""
    return compose(
        facts_of.read(FACTS | changes), plant(), language, None, event=event, severity="warning", created_ms=NOW,
        sender="p@example.com", addresses=["a@example.com"], message_id="<1@example.com>", date=DATE,
    )  # fmt: skip


def words(mail: EmailMessage) -> str:
    """Give the text part."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


@pytest.mark.parametrize(
    ("language", "sentence", "title"),
    [
        ("en", "stays within the limit if below 61 mg/m³ for the next 23 min", "heading over its limit"),
        ("zh", "后续 23 分钟内低于 61 mg/m³ 即不超限值", "预计将超标"),
    ],
)
def test_mail_says_what_the_rest_may_have(language: str, sentence: str, title: str) -> None:
    """The mail says how much is in, where it is heading, and what would still keep it within its limit."""
    said = words(composed(language))
    for one in (sentence, title, "43.2 mg/m³", "68.4 mg/m³", "62 %", "permit 2020"):
        assert one in said


def test_subject_tells_where_it_is_heading() -> None:
    """The subject alone says: what, where, how much of how much, and by when."""
    place = "DA002 Coating line RTO stack NMHC"
    shown = f"[plantmon] Warning: heading over its limit: {place} 1h mean 68.4 of 60 mg/m3 by 09:00"
    assert composed("en")["Subject"] == shown


@pytest.mark.parametrize(("language", "sentence"), [("en", "exceeds whatever follows"), ("zh", "都将超标")])
def test_lost_window(language: str, sentence: str) -> None:
    """Of a window that nothing can save the mail says so, and gives no figure to keep to."""
    said = words(composed(language, exhausted=True, allowed=None))
    assert sentence in said
    assert "stays within" not in said
    assert ("so that the next one complies" in said) == (language == "en")
    assert "can still comply" not in said


def test_the_large_figure_is_where_it_is_heading() -> None:
    """What stands in large is the projected mean, said to be one, not the harmless mean so far."""
    html = composed("zh").get_body(("html",))
    assert html is not None
    assert ">预计 68.4 mg/m³</div>" in html.get_content()
    assert "限值 60 mg/m³；后续 23 分钟内低于 61 mg/m³" in html.get_content()
    assert "Against limit" not in words(composed("en"))


def test_of_a_minimum_the_rest_must_be_above() -> None:
    """Of a minimum the rest has to stay above what is told."""
    assert "if above 61 mg/m³ for the next 23 min" in words(composed("en", side="min", allowed=61.0))


@pytest.mark.parametrize(
    ("allowed", "side", "told"),
    [(61.96, "max", "61.9"), (61.91, "min", "62"), (1234.9, "max", "1234"), (0.012345, "max", "0.0123"),
     (0.0, "max", "0"), (-3.456, "max", "-3.46")],
)  # fmt: skip
def test_who_keeps_to_what_is_told_complies(allowed: float, side: str, told: str) -> None:
    """The figure is cut to the safe side, not rounded: 61.96 at most is told as 61.9, not as 62."""
    word = "above" if side == "min" else "below"
    assert f"if {word} {told} mg/m³" in words(composed("en", side=side, allowed=allowed))


def test_cleared_claims_no_mean() -> None:
    """The mail of its end tells how long it stood; a window that is not over has no peak and no mean."""
    said = words(composed("en", "cleared", until=NOW))
    for word in ("Peak", "Mean", "stays within", "Projected"):
        assert word not in said


def test_chart_shows_the_running_window() -> None:
    """The chart ends with the window, which is shaded from its beginning."""
    drawing = sketch(facts_of.read(FACTS), plant(), "en", NOW, lambda *_: ([HOUR], [40.0]))
    assert drawing is not None
    assert drawing.end_ms == HOUR + HOUR_MS
    assert drawing.shaded == [(HOUR, HOUR + HOUR_MS)]
