"""This module composes a mail from facts: text and HTML, Chinese and English, with its chart inside.

Pure: the same facts, plant and date give the same words. What comes from outside (names, details, addresses) reaches a
header only as one clean line, and HTML only escaped. The mails of one alarm refer to its first, so that mail programs
show them as one conversation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from plantmon.model.plant import Plant
from plantmon.notify import listing, wording
from plantmon.notify.details import detail
from plantmon.notify.facts import EVENTS, KINDS, Facts
from plantmon.notify.wording import one_line
from plantmon.texts import text
from plantmon.times import SECOND_MS

# Without refolding the raw headers below stay on one line; those with names in them are folded as ever.
_POLICY = SMTP.clone(refold_source="none")
_CHART_ID = "chart@plantmon"
_SUBJECT_LENGTH = 200
_COLOURS = {"breach": "#b42318", "warning": "#b54708", "data": "#344054"}
_GREEN, _BLUE = "#067647", "#175cd3"
_URGENT = ("raised", "again", "escalated", "unshelved")
_OPEN = ("raised", "again", "reminded", "escalated", "unshelved", "unacknowledged")
_OVER = ("cleared", "unacknowledged")
# What these speak of has no window: they stand since a moment, or wait for one.
_WITHOUT_WINDOW = frozenset(
    {"silent", "outlet_silent", "broker_away", "broker_dropped", "clock_wrong", "meter_event", "stuck", "jump",
     "device_clock", "store_unavailable", "feed_stalled", "over_range"}
)  # fmt: skip
_NOT_COMPARED = frozenset({"outlook", "over_range", "balance", "night_minimum"})
_FIRST_STEPS = {"escalated": "step_escalated", "forgotten": "step_forgotten", "unshelved": "step_unshelved"}

# What to do next, by kind; {abatement} is replaced by the outlet's kind.
_ABATEMENT = "step_abatement_"
DEADLINES = ("fault_report", "fault_repair", "calibration_due", "report_due")
_AFTER = ("step_note", "step_keep")
_STEPS: dict[str, tuple[str, ...]] = {
    "breach": ("step_source", _ABATEMENT, "step_monitor", "step_reduce", *_AFTER),
    "warning": ("step_before_limit", "step_source", _ABATEMENT, "step_note"),
    "outlook": ("step_in_time", "step_source", _ABATEMENT, "step_reduce", "step_note"),
    "over_range": ("step_true_value", "step_source", _ABATEMENT, "step_monitor", "step_sample", *_AFTER),
    "silent": ("step_instrument", "step_maintenance", "step_import"),
    "outlet_silent": ("step_logger", "step_maintenance", "step_import"),
    "broker_away": ("step_broker",),
    "broker_dropped": ("step_queue", "step_import"),
    "clock_wrong": ("step_clock",),
    "meter_event": ("step_meter", "step_note"),
    "stuck": ("step_stuck", "step_monitor", "step_maintenance", "step_note"),
    "jump": ("step_jump", "step_monitor", "step_source", "step_note"),
    "device_clock": ("step_device_clock", "step_import", "step_note"),
    "reported_differs": ("step_compare", "step_span", "step_note", "step_keep"),
    "cap_share": ("step_cap", "step_caps"),
    "cap_pace": ("step_cap", "step_caps"),
    "fault_report": ("step_report_fault", "step_monitor", "step_maintenance"),
    "fault_repair": ("step_repair", "step_sample", "step_note"),
    "calibration_due": ("step_calibrate", "step_deadlines"),
    "report_due": ("step_hand_in", "step_deadlines"),
    "balance": ("step_leak", "step_meter_reading", "step_note"),
    "night_minimum": ("step_night", "step_leak", "step_note"),
    "store_unavailable": ("step_disk",),
    "feed_stalled": ("step_service",),
    "spool_filling": ("step_influx",),
    "archive_failing": ("step_archive",),
    "corrected": ("step_register", "step_keep"),
    "storm": ("step_storm", "step_list"),
    "test": ("step_none",),
}
_CLEARED_STEPS: dict[str, tuple[str, ...]] = {
    "breach": ("step_note", "step_keep", "step_complete"),
    "warning": ("step_note",),
    "outlook": ("step_note",),
    "over_range": ("step_note", "step_keep", "step_complete"),
    "silent": ("step_gap", "step_note"),
    "outlet_silent": ("step_gap", "step_note"),
    "broker_dropped": ("step_gap",),
    "meter_event": ("step_note",),
    "stuck": ("step_note",),
    "jump": ("step_note",),
    "device_clock": ("step_gap", "step_note"),
    "reported_differs": ("step_note",),
    "cap_share": ("step_caps",),
    "cap_pace": ("step_caps",),
    "fault_report": ("step_note",),
    "fault_repair": ("step_gap", "step_note"),
    "calibration_due": ("step_deadlines",),
    "report_due": ("step_deadlines",),
    "balance": ("step_note",),
    "night_minimum": ("step_note",),
    "corrected": ("step_register",),
    "storm": ("step_list",),
    "test": ("step_none",),
}
_CLEARED_OTHERWISE = ("step_gap", "step_note")

TEMPLATES = Environment(
    loader=PackageLoader("plantmon.notify", "templates"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Section:
    """What the templates show of a mail in one language."""

    language: str
    title: str
    place: str  # the outlet, or the plant for what belongs to none
    measured: str | None
    value: str | None  # the figure in large
    against: str | None  # the line under it
    rows: tuple[tuple[str, str], ...]
    table: tuple[tuple[str, ...], ...]  # of a mail that lists, as text; first line is the head
    entries: tuple[listing.Entry, ...]  # the same as HTML shows it, in one column
    table_intro: str | None
    table_rest: str | None
    steps_title: str
    steps: tuple[str, ...]
    acknowledge: str | None
    command: str | None
    chart_alt: str
    footer: str


def compose(
    facts: Facts,
    plant: Plant,
    language: str,
    png: bytes | None,
    *,
    event: str,
    severity: str,
    created_ms: int,
    sender: str,
    addresses: Sequence[str],
    message_id: str,
    date: datetime,
    thread: str | None = None,
) -> EmailMessage:
    """Compose one mail: multipart/alternative of text and HTML, the chart (`png`) inside the HTML.

    `language` is zh, en or both (Chinese first, then English). `created_ms` is plant time, `date` real time. `thread`
    is the Message-ID of the alarm's first mail when this is a later one. Raises ValueError for an unknown
    kind or event.
    """
    if facts.kind not in KINDS or event not in EVENTS:
        raise ValueError(f"no mail is known for kind {facts.kind!r}, event {event!r}")
    languages = ("zh", "en") if language == "both" else ("zh",) if language == "zh" else ("en",)
    sections = [_section(facts, plant, one, event, severity, created_ms) for one in languages]
    message = headed(_subject(facts, plant, languages, event), sender, addresses, message_id, date, thread)
    if (facts.about or event) in _URGENT and severity == "breach":
        message["Importance"] = "high"
    shown = {"sections": sections, "colour": _colour(facts.about or event, severity), "has_chart": png is not None}
    message.set_content(TEMPLATES.get_template("mail.txt").render(shown), cte="base64")
    html = TEMPLATES.get_template("mail.html").render(shown, chart=f"cid:{_CHART_ID}")
    message.add_alternative(html, subtype="html", cte="base64")
    if png is not None:
        body = message.get_payload()[1]  # type: ignore[index]
        assert isinstance(body, EmailMessage)
        body.add_related(png, "image", "png", cid=f"<{_CHART_ID}>", disposition="inline", filename="chart.png")
    return message


def compose_plain(
    facts: Mapping[str, Any],
    *,
    event: str,
    severity: str,
    sender: str,
    addresses: Sequence[str],
    message_id: str,
    date: datetime,
    thread: str | None = None,
) -> EmailMessage:
    """Compose the least mail that still says everything, for facts that `compose` failed on: their JSON as text."""
    subject = f"[plantmon] {severity} {event}: {facts.get('kind')} {facts.get('point') or facts.get('outlet') or ''}"
    message = headed(subject, sender, addresses, message_id, date, thread)
    words = [text("mail.plain_intro", language) for language in ("zh", "en")]
    listed = json.dumps(facts, ensure_ascii=False, indent=2, default=str)
    message.set_content("\n".join([*words, "", listed.encode("utf-8", "replace").decode()]) + "\n", cte="base64")
    return message


def headed(
    subject: str, sender: str, addresses: Sequence[str], message_id: str, date: datetime, thread: str | None
) -> EmailMessage:
    """Begin a mail: its subject, addresses and ids, each one clean line."""
    message = EmailMessage(policy=_POLICY)
    # Folded by the older class: the newer one writes some subjects with nothing on their first line (seen with 3.11).
    line = one_line(subject, _SUBJECT_LENGTH)
    charset = "us-ascii" if line.isascii() else "utf-8"
    message.set_raw("Subject", Header(line, charset, header_name="Subject").encode(linesep="\r\n"))
    message["From"] = one_line(sender)
    message["To"] = ", ".join(one_line(address) for address in addresses) or "undisclosed-recipients:;"
    message["Date"] = date
    # Raw, because the library writes a long id as an encoded word (seen with 3.11), which no mail program can match.
    message.set_raw("Message-ID", one_line(message_id))
    if thread is not None:
        message.set_raw("In-Reply-To", one_line(thread))
        message.set_raw("References", one_line(thread))
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    return message


def _colour(event: str, severity: str) -> str:
    if event == "cleared":
        return _GREEN
    return _BLUE if event == "test" else _COLOURS.get(severity, _COLOURS["data"])


def _title(facts: Facts, event: str, language: str) -> str:
    kind = f"{facts.kind}_overdue" if facts.overdue and facts.kind in DEADLINES else facts.kind
    if facts.kind == "storm":
        kind = f"storm_{facts.about or 'raised'}"
    return text(f"mail.event_{event}", language, kind=text(f"mail.kind_{kind}", language))


def _subject(facts: Facts, plant: Plant, languages: Sequence[str], event: str) -> str:
    """Say what, where and how much in one line; both titles, then the last language, where there are two."""
    title = " ".join(_title(facts, event, language) for language in languages)
    language = languages[-1]
    place = wording.outlet(facts, plant, language) or plant.name.in_language(language) or plant.id
    words = [place, wording.parameter(facts, plant, language), facts.period]
    limit = None if facts.bound is None else wording.quantity(wording.exact(facts.bound), facts.unit)
    if listed := listing.summary(facts, language):
        words.append(listed)
    elif event in _OVER:
        said = [wording.short_window(facts.window, language), *_how_long(facts, language)]
        words.append(wording.joined(said, language))
    elif facts.kind == "outlook":
        words += [wording.short_window(facts.window, language), wording.heading(facts, language)]
    elif facts.value is not None:
        words.append(wording.short_window(facts.window, language))
        words.append(wording.value_of(facts, facts.value, language, unit=facts.unit))
        if limit is not None and (wording.beyond(facts) or 0) > 0:
            words.append(f"{'<' if facts.side == 'min' else '>'} {limit}")
        elif limit is not None:
            words.append(f"({text(wording.of_kind('mail.subject_limit', facts.kind), language, limit=limit)})")
    if event not in _OVER:
        words.append(wording.by_when(facts, plant.time, language))
    return f"[plantmon] {title}: {' '.join(word for word in words if word)}"


def _how_long(facts: Facts, language: str) -> list[str]:
    said = []
    if facts.since is not None and facts.until is not None:
        lasted = wording.duration(facts.until - facts.since, language)
        said.append(text("mail.subject_cleared", language, duration=lasted))
    if facts.peak is not None:
        peak = wording.quantity(wording.figure(facts.peak, facts.bound), facts.unit)
        said.append(text("mail.subject_peak", language, peak=peak))
    return said


def headline(facts: Facts, plant: Plant, language: str, event: str) -> str:
    """Say an event in one line, as the subject of its mail does. Raises KeyError for an unknown kind or event."""
    return _subject(facts, plant, (language,), event).removeprefix("[plantmon] ")


def _section(facts: Facts, plant: Plant, language: str, event: str, severity: str, created_ms: int) -> Section:
    unit = wording.shown_unit(facts.unit)
    is_cleared = event in _OVER
    acknowledge, command = _command(facts, event, severity)
    return Section(
        language="zh-CN" if language == "zh" else "en",
        title=_title(facts, event, language),
        place=wording.outlet(facts, plant, language) or plant.name.in_language(language) or plant.id,
        measured=wording.joined(
            [wording.parameter(facts, plant, language), wording.window(facts.window, language)], language
        )
        or None,
        value=None if is_cleared else _headline_value(facts, language, unit),
        against=None if is_cleared else _against(facts, plant, language, unit),
        rows=tuple(_rows(facts, plant, language, event)),
        table=tuple(listing.table(facts, plant, language)),
        entries=tuple(listing.entries(facts, plant, language)),
        table_intro=listing.intro(facts, language),
        table_rest=listing.rest(facts, language),
        steps_title=text("mail.next_title", language),
        steps=tuple(text(f"mail.{step}", language) for step in _steps(facts, plant, event, severity)),
        acknowledge=None if acknowledge is None else text(acknowledge, language),
        command=None if command is None else text(command, language, alarm=facts.alarm),
        chart_alt=text("mail.chart_alt", language),
        footer=footer(plant, language, created_ms),
    )


def _headline_value(facts: Facts, language: str, unit: str | None) -> str | None:
    """Give the figure in large: of a running window where it is heading, not where it is."""
    if facts.kind == "outlook" and facts.projected is not None:
        heading = wording.value_of(facts, facts.projected, language, unit=unit)
        return text("mail.heading", language, quantity=heading)
    return wording.value_of(facts, facts.value, language, unit=unit)


def _against(facts: Facts, plant: Plant, language: str, unit: str | None) -> str | None:
    """Say under the figure what it is held against, and what follows."""
    over = wording.over(facts, language, unit=unit)
    if over is None or facts.bound is None:
        return None
    limit = wording.quantity(wording.exact(facts.bound), unit)
    if facts.reached is not None:
        return text("mail.against_reached", language, limit=limit, day=facts.reached)
    if facts.kind == "outlook" and (rest := wording.rest(facts, language, unit=unit)) is not None:
        return text("mail.against_rest", language, limit=limit, rest=rest)
    against = text(wording.of_kind("mail.against", facts.kind), language, limit=limit, over=over)
    condition = wording.condition(facts, plant, language)
    if condition is None:
        return against
    return text("mail.against_while", language, against=against, condition=condition)


def _rows(facts: Facts, plant: Plant, language: str, event: str) -> list[tuple[str, str]]:
    """List label and text of what is known, in the order a reader asks."""
    unit = wording.shown_unit(facts.unit)
    limit = wording.find_limit(plant, facts.limit)
    is_cleared = event in _OVER
    is_substance = limit is not None and limit.basis not in ("level", "interlock")
    value_label = "row_so_far" if facts.kind == "outlook" else "row_value"
    count_label = "row_readings" if facts.window == "reading" else "row_windows"
    # Until it is done, a deadline is what counts, not since when one is warned of it.
    is_awaited = facts.kind in DEADLINES and not is_cleared
    # Of one window, peak and mean are the value again.
    is_series = is_cleared or (facts.windows or 0) > 1
    rows = {
        "row_outlet": wording.outlet(facts, plant, language),
        "row_parameter" if is_substance else "row_measured": wording.parameter(facts, plant, language),
        "row_window": None if facts.kind in _WITHOUT_WINDOW else _window(facts, plant, language),
        value_label: wording.value_of(facts, facts.value, language, unit=unit),
        "row_share": None if facts.share is None else f"{wording.percent(facts.share)} %",
        "row_projected": wording.value_of(facts, facts.projected, language, unit=unit),
        "row_rest": wording.rest(facts, language, unit=unit),
        "row_period": facts.period,
        "row_began": None if facts.began is None else wording.moment(plant.time, facts.began),
        "row_by": None if facts.by is None else wording.deadline(plant.time, facts.by),
        "row_last": None if facts.last is None else wording.moment(plant.time, facts.last),
        "row_limit": listing.bound(facts.bound, facts.side, language, unit, kind=facts.kind),
        "row_compared": None if facts.kind in _NOT_COMPARED else wording.over(facts, language, unit=unit),
        "row_while": wording.condition(facts, plant, language),
        "row_since": None if facts.since is None or is_awaited else wording.moment(plant.time, facts.since),
        "row_until": None if facts.until is None else wording.moment(plant.time, facts.until),
        "row_duration": _lasted(facts, language),
        "row_lowest" if facts.side == "min" else "row_peak": wording.value_of(facts, facts.peak, language, unit=unit)
        if is_series
        else None,
        "row_mean": wording.value_of(facts, facts.mean, language, unit=unit) if is_series else None,
        count_label: str(facts.windows) if is_series and facts.windows else None,
        "row_standard": facts.standard,
        "row_reported": wording.value_of(facts, facts.reported, language, unit=unit),
        "row_own": wording.value_of(facts, facts.own, language, unit=unit),
        "row_reached": facts.reached,
        "row_detail": detail(facts, plant, language),
        "row_acked_by": facts.acked_by,
        "row_alarm": None if facts.alarm is None else str(facts.alarm),
    }
    if is_cleared:  # the value that ended it is not what the reader asks for
        for key in ("row_compared", value_label, "row_share", "row_projected", "row_rest"):
            del rows[key]
    return [
        (text(wording.of_kind(f"mail.{key}", facts.kind), language), one_line(words))
        for key, words in rows.items()
        if words
    ]


def _window(facts: Facts, plant: Plant, language: str) -> str | None:
    named = wording.window(facts.window, language)
    if facts.start is None:
        return named or None
    end_ms = None if facts.window == "reading" else facts.end
    shown = wording.span(plant.time, facts.start, end_ms)
    return wording.joined([named, shown], language)


def _lasted(facts: Facts, language: str) -> str | None:
    if facts.since is None or facts.until is None:
        return None
    return wording.duration(facts.until - facts.since, language)


def _steps(facts: Facts, plant: Plant, event: str, severity: str) -> list[str]:
    """Name the sentences of what to do next."""
    if event in _OVER or facts.about in _OVER:
        return list(_CLEARED_STEPS.get(facts.kind, _CLEARED_OTHERWISE))
    point, limit = wording.find_point(facts, plant), wording.find_limit(plant, facts.limit)
    outlet = plant.outlets.get(facts.outlet or (limit.outlet if limit else "") or (point.outlet if point else "") or "")
    kind = outlet.kind if outlet and outlet.kind in ("air", "water", "noise") else "other"
    steps = [step + kind if step == _ABATEMENT else step for step in _STEPS[facts.kind]]
    if facts.exhausted:
        steps = ["step_next_window" if step == "step_in_time" else step for step in steps]
    if severity == "breach" and facts.kind != "test":
        steps.append("step_authority")
    first = _FIRST_STEPS.get(facts.about or event)
    return steps if first is None else [first, *steps]


def _command(facts: Facts, event: str, severity: str) -> tuple[str | None, str | None]:
    """Name the sentence before the command that answers a mail, and that: to acknowledge, or to close a breach."""
    if facts.alarm is None:
        return None, None
    if event in _OPEN and not facts.acked_by:
        return "mail.acknowledge", "mail.command_acknowledge"
    if event == "cleared" and severity == "breach":
        return "mail.close", "mail.command_close"
    return None, None


def footer(plant: Plant, language: str, created_ms: int) -> str:
    """Say whose mail it is, in which zone its times are, and when it was made."""
    created_ms -= created_ms % SECOND_MS
    values = {
        "plant": plant.name.in_language(language) or plant.id,
        "zone": wording.zone(plant.time, created_ms),
        "time": plant.time.show(created_ms),
    }
    if plant.permit:
        return one_line(text("mail.footer", language, permit=plant.permit, **values))
    return one_line(text("mail.footer_plain", language, **values))
