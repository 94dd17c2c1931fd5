"""This module proves what is drawn, that no peak is lost on the way, and how the frames of the pipe are cut."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notify_plant import HOUR, NMHC, NOW, breach, cleared, plant, plausible_series

from plantmon.model.plant import Name
from plantmon.notify import chart
from plantmon.notify import facts as facts_of
from plantmon.notify.drawing import CHART_SPAN_MS, HEIGHT_PX, WIDTH_PX, Drawing, Greeting, Labels, frame, thin, unframe
from plantmon.notify.sketch import sketch
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS


def sketched(facts: dict[str, Any], now_ms: int = NOW, language: str = "both") -> Drawing | None:
    """Sketch facts over the plausible series."""
    return sketch(facts_of.read(facts), plant(), language, now_ms, plausible_series)


def test_chart_is_the_last_day_with_the_breach_shaded() -> None:
    """A chart covers the 24 h up to the mail, its limit, and the time since the breach began."""
    drawing = sketched(breach())
    assert drawing is not None
    assert drawing.end_ms - drawing.start_ms == CHART_SPAN_MS
    assert NOW <= drawing.end_ms < NOW + MINUTE_MS
    assert (drawing.bound, drawing.shaded) == (60.0, [(HOUR, drawing.end_ms)])
    assert drawing.labels.title == "DA002: 非甲烷总烃 NMHC, mg/m³, 24 h"
    assert drawing.plain.limit == "limit 60 mg/m³"


def test_chart_of_an_old_alarm_shows_its_own_day() -> None:
    """A breach that ended days ago is drawn where it was."""
    drawing = sketched(cleared(), NOW + 3 * DAY_MS)
    assert drawing is not None
    assert drawing.end_ms == HOUR + 3 * HOUR_MS
    assert drawing.shaded == [(HOUR, HOUR + 3 * HOUR_MS)]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"kind": "silent"}, id="no limit in question"),
        pytest.param({"limit": "nmhc-rate", "unit": "kg/h", "bound": 8.0}, id="a rate is not what the point shows"),
        pytest.param({"point": "gone", "limit": "gone"}, id="the point is gone"),
        pytest.param({"bound": None}, id="no bound"),
    ],
)
def test_no_chart_where_it_would_say_nothing(changes: dict[str, Any]) -> None:
    """A mail has no chart where the point's line and the limit do not belong in one picture."""
    assert sketched(breach(**changes)) is None


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=6000))
def test_thinning_keeps_the_extremes(values: list[float]) -> None:
    """Thinned values are some of the values in their order, with the least, the most, the first and the last."""
    times = list(range(0, len(values) * 10_000, 10_000))
    kept_times, kept = thin(times, values, 0, CHART_SPAN_MS)
    assert all(values[at // 10_000] == value for at, value in zip(kept_times, kept, strict=True))
    assert kept_times == sorted(set(kept_times))
    assert (min(kept), max(kept), kept[0], kept[-1]) == (min(values), max(values), values[0], values[-1])


def test_thinning_bounds_the_number() -> None:
    """A day of ten-second values becomes a few values a pixel, and a gap stays one."""
    values = [1.0] * 8640
    values[4000] = float("nan")
    _, kept = thin(list(range(0, DAY_MS, 10_000)), values, 0, DAY_MS)
    assert len(kept) < 2900
    assert sum(value != value for value in kept) == 1


@pytest.mark.parametrize("language", ["zh", "en", "both"])
def test_chart_is_a_small_png(language: str) -> None:
    """The picture has the size the mail shows and stays under 60 kB."""
    drawing = sketched(breach(), language=language)
    assert drawing is not None
    png = chart.draw(drawing, chart.cjk_family())
    assert png.startswith(b"\x89PNG")
    assert struct.unpack(">II", png[16:24]) == (WIDTH_PX, HEIGHT_PX)
    assert len(png) < 60_000


def test_without_a_chinese_font_the_chart_is_in_english(recwarn: pytest.WarningsRecorder) -> None:
    """Without a font for them no Chinese sign is asked for, so none becomes an empty box."""
    drawing = sketched(breach(), language="zh")
    assert drawing is not None
    assert chart.draw(drawing, None)
    assert not [warning for warning in recwarn if "Glyph" in str(warning.message)]


def test_with_a_chinese_font_no_sign_is_missing(recwarn: pytest.WarningsRecorder) -> None:
    """Every Chinese sign of a chart's labels is in the font that was found."""
    family = chart.cjk_family()
    if family is None:
        pytest.skip("no font with Chinese characters on this machine")
    drawing = sketched(breach(), language="zh")
    assert drawing is not None
    assert chart.draw(drawing, family) != chart.draw(drawing, None)
    assert not [warning for warning in recwarn if "Glyph" in str(warning.message)]


def test_long_title_loses_what_stands_in_brackets_first() -> None:
    """A title that would run out of the picture is shortened where it says least; its unit stays."""
    named = replace(NMHC, name=Name("non-methane hydrocarbons (as carbon)", "非甲烷总烃"))
    shown = plant(points={NMHC.id: named})
    drawing = sketch(facts_of.read(breach()), shown, "en", NOW, plausible_series)
    assert drawing is not None
    assert drawing.labels.title == "DA002: non-methane hydrocarbons, mg/m³, 24 h"
    drawing = sketch(facts_of.read(breach()), shown, "both", NOW, plausible_series)
    assert drawing is not None
    assert drawing.labels.title == "DA002：非甲烷总烃，mg/m³，近 24 小时"  # both names have no room
    endless = plant(points={NMHC.id: replace(NMHC, name=Name("x" * 90, "长" * 90))})
    for language in ("en", "zh"):
        drawing = sketch(facts_of.read(breach()), endless, language, NOW, plausible_series)
        assert drawing is not None
        assert drawing.labels.title.endswith("…")
        assert sum(2 if sign > "⺀" else 1 for sign in drawing.labels.title) <= 48


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_values_are_drawn(count: int) -> None:
    """A chart of one, two or three values, also of the limit alone at zero, can be drawn."""
    labels = Labels("a", "b", "c")
    drawing = Drawing(
        [HOUR + n for n in range(count)], [0.0] * count, HOUR, HOUR + DAY_MS, 0.0, [], "UTC", labels, labels
    )
    assert chart.draw(drawing, None)


def test_frames_come_apart_where_they_were_joined() -> None:
    """Two frames received byte by byte are two bodies, each as soon as it is whole."""
    sent = frame(Greeting(True)) + frame(Greeting(False))
    received, bodies = bytearray(), []
    for byte in sent:
        received.append(byte)
        body = unframe(received)
        if body is not None:
            bodies.append(body)
    assert bodies == [frame(Greeting(True))[4:], frame(Greeting(False))[4:]]
    assert not received
