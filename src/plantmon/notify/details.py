"""This module puts an alarm's detail into words: what the rooms that raise alarms write down in figures and codes.

What it does not know - a broker's reason, a name - stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from plantmon.model.plant import Plant
from plantmon.notify import wording
from plantmon.notify.facts import Facts
from plantmon.texts import text
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

_GONE = "not in force any more"
_METER = re.compile(r"(replaced|too_fast): (\S+) -> (\S+)")
_STEP = re.compile(r"(\S+) -> (\S+) (\S+)")
_CLOCK = re.compile(r"(?:(?P<points>.+): )?(?P<how>behind by|ahead by more than) (?P<long>[0-9a-z ]+)")
_HOW = {"behind by": "mail.detail_behind", "ahead by more than": "mail.detail_ahead"}
_PART = re.compile(r"(\d+)(d|h|min|s)\b")
_SIZES = {"d": DAY_MS, "h": HOUR_MS, "min": MINUTE_MS, "s": SECOND_MS}


def detail(facts: Facts, plant: Plant, language: str) -> str | None:
    """Give an alarm's detail in words of one language; None where there is none."""
    if not facts.detail:
        return None
    if facts.detail == _GONE:
        return text("mail.detail_gone", language)
    say = _SAYS.get(facts.kind)
    return (say(facts, facts.detail, plant, language) if say else None) or facts.detail


def _dropped(_: Facts, said: str, __: Plant, language: str) -> str | None:
    return text("mail.detail_dropped", language, count=said) if said.isdecimal() else None


def _meter(facts: Facts, said: str, plant: Plant, language: str) -> str | None:
    found, point = _METER.fullmatch(said), wording.find_point(facts, plant)
    if found is None:
        return None
    unit = wording.shown_unit(point.unit if point else None)
    before, after = (wording.quantity(figure, unit) for figure in found.groups()[1:])
    return text(f"mail.detail_{found[1]}", language, before=before, after=after)


def _step(_: Facts, said: str, __: Plant, language: str) -> str | None:
    found = _STEP.fullmatch(said)
    if found is None:
        return None
    before, after = (wording.quantity(figure, wording.shown_unit(found[3])) for figure in found.groups()[:2])
    return text("mail.detail_step", language, before=before, after=after)


def _clock(_: Facts, said: str, __: Plant, language: str) -> str | None:
    found = _CLOCK.fullmatch(said)
    if found is None:
        return None
    length_ms = sum(int(count) * _SIZES[unit] for count, unit in _PART.findall(found["long"]))
    how = text(_HOW[found["how"]], language, duration=wording.duration(length_ms, language))
    return how if found["points"] is None else text("mail.detail_of", language, points=found["points"], said=how)


def _reckoning(_: Facts, said: str, __: Plant, ___: str) -> str | None:
    words = said.replace(" - ", " − ").split(" ")
    return " ".join([*words[:-1], wording.shown_unit(words[-1]) or ""])


_SAYS: dict[str, Callable[[Facts, str, Plant, str], str | None]] = {
    "broker_dropped": _dropped, "meter_event": _meter, "jump": _step, "device_clock": _clock, "balance": _reckoning,
}  # fmt: skip
