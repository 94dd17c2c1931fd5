"""This module puts facts into words and figures: names, quantities, times and durations, in one language.

Nothing here fails for a point, outlet or limit that left the plant file since: its id then stands for its name. Every
result is one line without control characters, whatever a name or a device's text holds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from plantmon.model.plant import Basis, Limit, Plant, Point
from plantmon.notify.facts import Facts
from plantmon.texts import sentences, text
from plantmon.times import DAY_MS, MINUTE_MS, PlantTime, format_duration

_WINDOWS = ("reading", "1h", "1d", "1mo", "1y", "day-period", "night-period")
_SHORT_WINDOWS = ("reading", "1h", "1d")
# Their zero is a convention, or they are logarithms or shares: a percentage of such a limit says nothing.
_WITHOUT_SHARE = frozenset({"degC", "degF", "pH", "dB", "dBA", "%"})
_DIGITS = 3  # significant ones of a measured value, as many as a monitor is good for
_MOST_DIGITS = 12
_SHOWN_UNITS = (("m3", "m³"), ("m2", "m²"), ("degC", "°C"))
_DURATION_PART = re.compile(r"(\d+)(\D+)")


def one_line(words: str, most: int = 500) -> str:
    """Give a text as one line: no line ends, control or direction marks, blanks run together, cut at `most`."""
    kept = "".join(" " if unicodedata.category(sign) in ("Cc", "Cf", "Zl", "Zp", "Cs") else sign for sign in words)
    line = " ".join(kept.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def figure(value: float, bound: float | None = None) -> str:
    """Write a value with the digits that make sense; with more where fewer would hide that it is not the bound.

    >>> figure(78.437), figure(1234.5), figure(60.02, 60.0), figure(0.01234)
    ('78.4', '1234', '60.02', '0.0123')
    """
    for digits in range(_DIGITS, _MOST_DIGITS + 1):
        whole = len(str(abs(int(value)))) if abs(value) >= 1 else 0
        written = _plain(value, max(digits, whole))
        if bound is None or value == bound or float(written) != bound:
            break
    return written


def exact(value: float) -> str:
    """Write a value somebody wrote down, such as a limit: all its digits.

    >>> exact(60.0), exact(12.5)
    ('60', '12.5')
    """
    return _plain(value, _MOST_DIGITS)


def _plain(value: float, digits: int) -> str:
    try:
        written = format(Decimal(f"{value:.{digits}g}"), "f")
    except (ArithmeticError, ValueError):  # not finite
        return str(value)
    return written.rstrip("0").rstrip(".") if "." in written else written


def quantity(written: str, unit: str | None) -> str:
    """Put a unit behind a figure."""
    return one_line(f"{written} {unit}") if unit else written


def shown_unit(unit: str | None) -> str | None:
    """Give a unit as people print it.

    >>> shown_unit("mg/m3"), shown_unit("degC")
    ('mg/m³', '°C')
    """
    for plain, shown in _SHOWN_UNITS:
        unit = unit.replace(plain, shown) if unit else unit
    return unit


def percent(share: float) -> str:
    """Write a share as per cent with two digits or all before the point; with more where it would pass for all.

    >>> percent(0.3067), percent(0.00421), percent(12.3), percent(0.9955), percent(1)
    ('31', '0.42', '1230', '99.6', '100')
    """
    hundredths = share * 100
    written = _plain(hundredths, max(2, len(str(abs(int(hundredths))))))
    return figure(hundredths, 100.0) if written == "100" and share != 1 else written


def joined(parts: Iterable[str | None], language: str) -> str:
    """Put what there is after each other, with the language's comma."""
    return text("mail.comma", language).join(part for part in parts if part)


def of_kind(key: str, kind: str) -> str:
    """Give the key of a sentence as this kind of alarm words it, where it has a word of its own."""
    return f"{key}_{kind}" if f"{key}_{kind}" in sentences() else key


def has_percent(unit: str | None) -> bool:
    """Whether parts of a limit in this unit say anything: not of temperatures and logarithms."""
    return unit not in _WITHOUT_SHARE


def value_of(facts: Facts, value: float | None, language: str, *, unit: str | None) -> str | None:
    """Write one of the facts' values with its unit, and that it is a lower bound where it is."""
    if value is None:
        return None
    written = quantity(figure(value, facts.bound), unit)
    return text("mail.at_least", language, quantity=written) if facts.at_least else written


def beyond(facts: Facts) -> float | None:
    """Give by how much the value is on the wrong side of its bound, negative within it; None when either is unknown."""
    if facts.value is None or facts.bound is None:
        return None
    return facts.bound - facts.value if facts.side == "min" else facts.value - facts.bound


def over(facts: Facts, language: str, *, unit: str | None) -> str | None:
    """Say how far the value is beyond its limit, or how near to it."""
    amount = beyond(facts)
    if amount is None or facts.bound is None or facts.value is None:
        return None
    has_share = facts.bound > 0 and facts.unit not in _WITHOUT_SHARE
    if amount > 0:
        key = "mail.below" if facts.side == "min" else "mail.above"
        said = text(key, language, quantity=quantity(figure(amount), unit))
        return text("mail.share", language, quantity=said, percent=percent(amount / facts.bound)) if has_share else said
    if has_share and facts.side != "min" and facts.value > 0:
        return text("mail.of_limit", language, percent=percent(facts.value / facts.bound))
    return text("mail.within", language)


def rest(facts: Facts, language: str, *, unit: str | None) -> str | None:
    """Say what the rest of a running window may have for it to comply; None where that cannot be told."""
    if facts.exhausted:
        return text("mail.exhausted", language)
    if facts.allowed is None or facts.left_ms is None:
        return None
    key = "mail.rest_above" if facts.side == "min" else "mail.rest_below"
    kept = quantity(_kept_to(facts.allowed, is_least=facts.side == "min"), unit)
    return text(key, language, quantity=kept, duration=duration(facts.left_ms, language))


def _kept_to(value: float, *, is_least: bool) -> str:
    """Write what must be kept to with few digits, cut so that who keeps to it complies."""
    written = Decimal(repr(value))
    step = Decimal(1).scaleb(min(written.adjusted() - _DIGITS + 1, 0))
    return exact(float(written.quantize(step, ROUND_CEILING if is_least else ROUND_FLOOR)))


def by_when(facts: Facts, plant_time: PlantTime, language: str) -> str | None:
    """Say for the subject by when something is to be done, was to be done, or will have happened; None: nothing is."""
    if facts.by is not None:
        key = "mail.subject_overdue" if facts.overdue else "mail.subject_by"
        return text(key, language, time=_last_moment(plant_time, facts.by))
    if facts.kind == "outlook" and facts.end is not None:
        return text("mail.subject_at", language, time=_last_moment(plant_time, facts.end)[11:])
    if facts.reached is not None:
        return text("mail.subject_reached", language, day=facts.reached)
    return None


def deadline(plant_time: PlantTime, by_ms: int) -> str:
    """Write the last instant of a term with its zone; the end of a day as that day's 24:00."""
    return f"{_last_moment(plant_time, by_ms)} ({zone(plant_time, by_ms)})"


def _last_moment(plant_time: PlantTime, by_ms: int) -> str:
    if plant_time.day_start(by_ms) == by_ms:
        return f"{plant_time.show(by_ms - 1)[:10]} 24:00"
    return plant_time.show(by_ms)[:16]


def heading(facts: Facts, language: str) -> str | None:
    """Say where a running window is heading and what its limit is, for the subject."""
    expected = facts.value if facts.projected is None else facts.projected
    if expected is None or facts.bound is None:
        return None
    limit = quantity(exact(facts.bound), facts.unit)
    return text("mail.subject_outlook", language, projected=figure(expected, facts.bound), limit=limit)


def window(name: str | None, language: str) -> str:
    """Name what the value is of; a window this version does not know keeps the plant file's word."""
    return text(f"mail.window_{name}", language) if name in _WINDOWS else one_line(name or "")


def short_window(name: str | None, language: str) -> str:
    """Name what the value is of, for the subject."""
    return text(f"mail.short_{name}", language) if name in _SHORT_WINDOWS else window(name, language)


def find_limit(plant: Plant, key: str | None) -> Limit | None:
    """Give the limit of a key; None when the plant file no longer has it."""
    return next((limit for limit in plant.limits if limit.key == key), None)


def find_point(facts: Facts, plant: Plant) -> Point | None:
    """Give the point the facts speak of, also where they name only its limit."""
    limit = find_limit(plant, facts.limit)
    return plant.points.get(facts.point or (limit.point if limit else ""))


def outlet(facts: Facts, plant: Plant, language: str) -> str | None:
    """Give the outlet's id and name; None for what belongs to no outlet."""
    point = find_point(facts, plant)
    limit = find_limit(plant, facts.limit)
    known = facts.outlet or (limit.outlet if limit else None) or (point.outlet if point else None)
    if known is None:
        return None
    found = plant.outlets.get(known)
    name = found.name.in_language(language) if found else ""
    return one_line(known if name in ("", known) else f"{known} {name}", 120)


def parameter(facts: Facts, plant: Plant, language: str) -> str | None:
    """Name the pollutant or quantity, with the limit's basis where that is not a concentration or level."""
    point, limit = find_point(facts, plant), find_limit(plant, facts.limit)
    if point is not None:
        name = point.name.in_language(language) or point.id
        if point.outlet is None and name != point.id:  # two meters may count the same thing
            name = f"{point.id} {name}"
    elif limit is not None:
        name = limit.subject
    elif facts.point is not None:
        name = facts.point
    else:
        return None
    if limit is not None and limit.basis in ("rate", "mass", "interlock"):
        name = text(f"mail.basis_{limit.basis.value}", language, name=name)
    return one_line(name, 120)


def condition(facts: Facts, plant: Plant, language: str) -> str | None:
    """Say under what an interlock applies, such as `exhaust-gas flow at least 5000 m³/h`; None for any other limit."""
    limit = find_limit(plant, facts.limit)
    if limit is None or limit.basis is not Basis.INTERLOCK or limit.running is None:
        return None
    running = limit.running
    point = plant.points.get(running.point)
    name = running.point if point is None else f"{running.point} {point.name.in_language(language)}"
    unit = shown_unit(point.unit if point else None)
    bounds = [
        text(key, language, quantity=quantity(exact(bound), unit))
        for key, bound in (("mail.limit_min", running.minimum), ("mail.limit_max", running.maximum))
        if bound is not None
    ]
    return one_line(text("mail.while", language, name=name, bounds=text("mail.and", language).join(bounds)), 200)


def duration(milliseconds: int, language: str) -> str:
    """Write a duration in words, at most two units."""
    parts = [_DURATION_PART.fullmatch(part) for part in format_duration(milliseconds).split()]
    return " ".join(text(f"mail.duration_{part[2]}", language, count=part[1]) for part in parts if part)


def zone(plant_time: PlantTime, at_ms: int) -> str:
    """Name the plant's distance from UTC at an instant, `UTC+8` or `UTC+05:30`."""
    minutes = plant_time.offset_ms(at_ms) // MINUTE_MS
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    return f"UTC{sign}{hours}" if rest == 0 else f"UTC{sign}{hours:02}:{rest:02}"


def moment(plant_time: PlantTime, at_ms: int) -> str:
    """Write an instant as plant time with its zone, to the second only where there are seconds."""
    return f"{_clock(plant_time, at_ms)} ({zone(plant_time, at_ms)})"


def span(plant_time: PlantTime, start_ms: int, end_ms: int | None) -> str:
    """Write [start, end) as plant time with its zone, whole days as dates, short where it is within one day."""
    return f"{bare_span(plant_time, start_ms, end_ms)} ({zone(plant_time, start_ms)})"


def bare_span(plant_time: PlantTime, start_ms: int, end_ms: int | None) -> str:
    """Write [start, end) as `span` does, without its zone."""
    start = _clock(plant_time, start_ms)
    if end_ms is None or end_ms <= start_ms:
        return start
    if plant_time.day_start(start_ms) == start_ms and plant_time.day_start(end_ms) == end_ms:
        last = plant_time.show(end_ms - 1)[:10]
        return last if last == start[:10] else f"{start[:10]} – {last}"
    end = _clock(plant_time, end_ms)
    if end_ms - start_ms < DAY_MS and end[:10] == start[:10]:
        end = end[11:]
    return f"{start} – {end}"


def _clock(plant_time: PlantTime, at_ms: int) -> str:
    return plant_time.show(at_ms).removesuffix(":00")
