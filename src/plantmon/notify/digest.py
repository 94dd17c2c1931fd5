"""This module writes a digest as a mail: text and HTML, one column that a phone shows, Chinese and English.

Pure: the same digest, plant and date give the same words. Every block is a list of lines - a head, a figure, perhaps a
bar, notes - so that both forms say the same and neither has an empty part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Any

from plantmon.model.plant import Plant
from plantmon.notify import digest_facts, listing, wording
from plantmon.notify import facts as facts_of
from plantmon.notify.compose import TEMPLATES, footer, headed, headline
from plantmon.notify.digest_facts import CONCERNS, Digest, What, Words
from plantmon.notify.wording import one_line
from plantmon.texts import sentences, text
from plantmon.times import MINUTE_MS

_GOOD, _WARN, _BAD = "good", "warn", "bad"
_SHOWN_TO = 1.25  # the end of a bar, in parts of the limit
_GB = 1e9
# Where the lines that a block left out can be read.
_COMMANDS = {
    "limits": "plantmon compliance", "exceedances": "plantmon register", "withdrawn": "plantmon register --withdrawn",
    "outlook": "plantmon outlook", "alarms": "plantmon alarms", "gaps": "plantmon compliance --part capture",
    "faults": "plantmon faults", "calibrations": "plantmon calibration list", "entries": "plantmon declarations",
    "caps": "plantmon caps", "held": "plantmon messages",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bar:
    """A value on the way to its bound, as per cent of the bar's width; `mark` is where the bound stands."""

    filled: int
    mark: int
    tone: str


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is said: what, how much, beside which bound, details; `tone` is good, warn, bad or nothing."""

    head: str
    value: str = ""
    notes: tuple[str, ...] = ()
    tone: str = ""
    bar: Bar | None = None
    against: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the digest; one without lines is left out."""

    title: str
    lines: tuple[Line, ...]
    more: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """The digest in one language."""

    language: str
    title: str
    place: str
    summary: str
    concerns: tuple[str, ...]
    tone: str
    notices: tuple[str, ...]
    blocks: tuple[Block, ...]
    footer: str


@dataclass(frozen=True, slots=True)
class Written:
    """A digest as it is mailed."""

    subject: str
    text: str
    html: str


def write(digest: Digest, plant: Plant, language: str) -> Written:
    """Write a digest in zh, en or both (Chinese first, then English)."""
    languages = ("zh", "en") if language == "both" else ("zh",) if language == "zh" else ("en",)
    pages = [_Writer(digest, plant, one).page() for one in languages]
    shown = {"pages": pages}
    return Written(
        _subject(pages), TEMPLATES.get_template("digest.txt").render(shown),
        TEMPLATES.get_template("digest.html").render(shown),
    )  # fmt: skip


def compose_digest(
    facts: Mapping[str, Any],
    plant: Plant,
    language: str,
    *,
    sender: str,
    addresses: Sequence[str],
    message_id: str,
    date: datetime,
) -> EmailMessage:
    """Compose the mail of a stored digest. Raises ValueError where the facts are none."""
    written = write(digest_facts.read(facts), plant, language)
    message = headed(written.subject, sender, addresses, message_id, date, None)
    message.set_content(written.text, cte="base64")
    message.add_alternative(written.html, subtype="html", cte="base64")
    return message


def _subject(pages: Sequence[Page]) -> str:
    """Say the edition and how things are in one line; both titles, then the last language, where there are two."""
    last = pages[-1]
    title = " ".join(page.title.partition(" ")[0] if page is not last else page.title for page in pages)
    return f"[plantmon] {title}: {last.summary}"


class _Writer:
    """Writes one digest in one language."""

    def __init__(self, digest: Digest, plant: Plant, language: str) -> None:
        self._digest = digest
        self._plant = plant
        self._language = language
        self._time = plant.time
        self._day = plant.time.show(digest.start)[:10] if digest.edition == "daily" else ""

    def page(self) -> Page:
        digest, plant, language = self._digest, self._plant, self._language
        parts: dict[str, Callable[[], Iterable[Line]]] = {
            "outlook": self._outlook, "exceedances": self._exceedances, "withdrawn": self._withdrawn,
            "alarms": self._alarms, "held": self._held, "due": self._due, "faults": self._faults,
            "compared": self._compared, "limits": self._limits, "gaps": self._gaps, "caps": self._caps,
            "frequent": self._frequent, "calibrations": self._calibrations, "entries": self._entries,
            "service": self._service,
        }  # fmt: skip
        blocks = [self._block(name, tuple(lines())) for name, lines in parts.items()]
        return Page(
            "zh-CN" if language == "zh" else "en",
            f"{self._say(f'title_{digest.edition}')} {self._when_it_is_of()}",
            one_line(plant.name.in_language(language) or plant.id),
            self._summary(),
            tuple(
                self._say(f"concern_{name}", count=digest.concerns[name])
                for name in CONCERNS
                if digest.concerns.get(name)
            ),
            _GOOD if not digest.count else _BAD if digest.concerns.get("exceedances") else _WARN,
            tuple(one_line(notice.of(language)) for notice in digest.notices),
            tuple(block for block in blocks if block.lines),
            footer(plant, language, digest.made),
        )  # fmt: skip

    def _say(self, key: str, **values: object) -> str:
        return text(f"digest.{key}", self._language, **values)

    def _block(self, name: str, lines: tuple[Line, ...]) -> Block:
        more = self._digest.left_out.get(name, 0)
        said = ""
        if more:
            said = self._say("more", count=more)
            if name in _COMMANDS:
                said = f"{said}. {self._say('sees', command=_COMMANDS[name])}"
        return Block(self._say(f"section_{name}"), lines, said)

    def _summary(self) -> str:
        count = self._digest.count
        return self._say("all_well") if not count else self._say("one_thing" if count == 1 else "things", count=count)

    def _when_it_is_of(self) -> str:
        digest = self._digest
        first, last = (self._time.show(at)[:10] for at in (digest.start, digest.end - 1))
        if digest.edition == "monthly":
            return first[:7]
        if digest.edition == "weekly":
            return self._say("days", first=first, last=last)
        weekday = self._say(f"weekday_{self._time.date_of(digest.start).weekday()}")
        return self._say("day", date=first, weekday=weekday)

    # instants and figures

    def _at(self, at_ms: int) -> str:
        """Write an instant: of the digest's own day only its clock time, otherwise with month and day."""
        shown = self._time.show(at_ms)
        if shown[:10] == self._day:
            return shown[11:16]
        return shown[5:16] if shown[:4] == self._time.show(self._digest.end)[:4] else shown[:16]

    def _from_to(self, start_ms: int, end_ms: int) -> str:
        """Write [start, end), a whole day as its date, the end of a day as 24:00."""
        start, end = self._time.show(start_ms), self._time.show(end_ms)
        if start[11:] == "00:00:00" and self._time.next_day(start_ms) == end_ms:
            return start[:10]
        if end[11:] == "00:00:00" and self._time.show(end_ms - 1)[:10] == start[:10]:
            return f"{self._at(start_ms)}–24:00"
        last = end[11:16] if end[:10] == start[:10] else self._at(end_ms)
        return self._at(start_ms) if end_ms <= start_ms else f"{self._at(start_ms)}–{last}"

    def _figure(self, value: float, unit: str, bound: float | None = None, *, at_least: bool = False) -> str:
        shown = wording.quantity(wording.figure(value, bound), wording.shown_unit(unit))
        return self._say("at_least", value=shown) if at_least else shown

    def _bound(self, bound: float, unit: str) -> str:
        return wording.quantity(wording.exact(bound), wording.shown_unit(unit))

    def _head(self, what: What) -> str:
        return one_line(f"{what.outlet.of(self._language)} · {what.subject.of(self._language)}".removeprefix(" · "))

    def _window(self, what: What) -> str:
        return "" if what.window is None else one_line(what.window.of(self._language))

    def _joined(self, parts: Iterable[str]) -> str:
        return ("，" if self._language == "zh" else ", ").join(part for part in parts if part)

    # what was measured

    def _limits(self) -> Iterable[Line]:
        for one in self._digest.limits:
            is_near = one.warned > 0 or (one.share is not None and one.share > 1)  # beyond it, for less than its hold
            tone = _BAD if one.exceeded else _WARN if is_near else ""
            value, notes = "", [self._window(one.what)]
            if one.worst is not None and one.bound is not None and one.start is not None and one.end is not None:
                worst = wording.quantity(wording.figure(one.worst, one.bound), None)
                worst = self._say("at_least", value=worst) if one.at_least else worst
                value = worst
                when = self._from_to(one.start, one.end)
                is_only = one.windows - one.not_judged - one.rested == 1
                key = "only" if is_only else "worst"
                notes = [self._say(key, window=self._window(one.what), when=when)]
                if one.has_percent and one.share is not None:
                    notes.append(self._say("percent_of_limit", percent=wording.percent(one.share)))
            counts = [self._counted(one.exceeded, one.windows - one.not_judged - one.rested)]
            counts += [self._say("warned", count=one.warned)] if one.warned else []
            if one.not_judged and one.why is not None:
                counts.append(self._say("not_judged", count=one.not_judged, why=one.why.of(self._language)))
            counts += [self._say("rested", count=one.rested)] if one.rested else []
            bar = None if one.share is None else _bar(one.share, tone or _GOOD)
            against = self._say("limit", limit=one.allowed.removeprefix("≤ "))
            notes = [self._joined(notes), self._joined(counts)]
            yield Line(self._head(one.what), value, tuple(notes), tone, bar, against)

    def _counted(self, exceeded: int, judged: int) -> str:
        if judged < 2:
            return "" if not judged else self._say("exceeds" if exceeded else "complies")
        return self._say("exceeded" if exceeded else "none_exceeded", count=exceeded, windows=judged)

    def _exceedances(self) -> Iterable[Line]:
        for one in self._digest.exceedances:
            window, notes = self._window(one.what), []
            if one.end is None:
                notes.append(self._joined([window, self._say("stands", start=self._at(one.start))]))
            else:
                key = "entry_when" if one.windows > 1 else "entry_when_one"
                when = self._from_to(one.start, one.end)
                notes.append(self._say(key, window=window, when=when, windows=one.windows))
            notes += [self._say("found_late")] if one.late else []
            if one.cause:
                notes.append(one_line(self._say("cause", cause=one.cause, action=one.action or "–")))
            else:
                notes.append(self._say("no_cause"))
            peak = wording.figure(one.peak, one.bound)
            peak = self._say("at_least", value=peak) if one.at_least else peak
            against = self._say("limit", limit=self._bound(one.bound, one.unit))
            yield Line(self._head(one.what), peak, tuple(notes), _BAD, against=against)

    def _withdrawn(self) -> Iterable[Line]:
        for one in self._digest.withdrawn:
            value = "" if one.value is None else self._figure(one.value, one.unit, one.bound)
            said = self._say("taken_back", window=self._window(one.what), when=self._from_to(one.start, one.end),
                             said=one.said.of(self._language))  # fmt: skip
            yield Line(self._head(one.what), value, (one_line(said.lstrip("，, ")),))

    def _outlook(self) -> Iterable[Line]:
        for one in self._digest.outlook:
            facts = facts_of.Facts(
                "outlook", value=one.expected, bound=one.bound, side=one.side, unit=one.unit, allowed=one.allowed,
                exhausted=one.exhausted, left_ms=one.left_ms,
            )  # fmt: skip
            expected = "" if one.expected is None else wording.figure(one.expected, one.bound)
            against = self._say("limit", limit=self._bound(one.bound, one.unit))
            rest = wording.rest(facts, self._language, unit=wording.shown_unit(one.unit))
            notes = (self._joined([self._window(one.what), rest or ""]),)
            yield Line(self._head(one.what), expected, notes, _BAD, against=against)

    def _gaps(self) -> Iterable[Line]:
        for one in self._digest.gaps:
            head = f"{one.point} {one.name.of(self._language)}"
            if one.never:
                yield Line(one_line(head), self._say("never"), (), _WARN)
                continue
            lacks = [self._say(f"lack_{kind}", when=self._from_to(start, end)) for start, end, kind in one.spans]
            lacks += [self._say("more", count=one.left_out)] if one.left_out else []
            value = "" if one.captured is None else self._say("captured", percent=wording.percent(one.captured))
            yield Line(one_line(head), value, tuple(lacks))

    def _faults(self) -> Iterable[Line]:
        for one in self._digest.faults:
            lasted = (self._digest.made if one.end is None else one.end) - one.start
            duration = wording.duration(max(MINUTE_MS, lasted // MINUTE_MS * MINUTE_MS), self._language)
            notes = [self._say("since", start=self._at(one.start))]
            if one.end is not None:
                notes = [self._from_to(one.start, one.end)]
            if one.reported is not None:
                notes.append(self._say("reported", time=self._at(one.reported)))
            elif one.report_by is not None and (one.end is None or one.report_overdue):
                key = "report_overdue" if one.report_overdue else "report_by"
                notes.append(self._say(key, time=self._deadline(one.report_by)))
            if one.repair_by is not None and (one.end is None or one.repair_overdue):
                key = "repair_overdue" if one.repair_overdue else "repair_by"
                notes.append(self._say(key, time=self._deadline(one.repair_by)))
            value = self._say("fault_open" if one.end is None else "fault_over", duration=duration)
            is_bad = one.report_overdue or one.repair_overdue
            head = one_line(f"{one.point} {one.name.of(self._language)}")
            yield Line(head, value, tuple(notes), _BAD if is_bad else _WARN if one.end is None else "")

    def _deadline(self, by_ms: int) -> str:
        if self._time.day_start(by_ms) == by_ms:
            return f"{self._time.show(by_ms - 1)[5:10]} 24:00"
        return self._at(by_ms)

    def _caps(self) -> Iterable[Line]:
        for one in self._digest.caps:
            tone = _BAD if one.passed else _WARN if one.is_near else ""
            cap = self._bound(one.cap, one.unit)
            if one.used is None:
                notes = [self._say("used_nothing", period=one.period, cap=cap)]
            else:
                used = self._figure(one.used, one.unit, one.cap)
                notes = [self._say("used_of", period=one.period, used=used, cap=cap)]
            if one.before is not None and self._digest.edition != "daily":
                notes.append(self._say("grown", percent=wording.percent(one.before)))
            notes += [self._pace(one), self._known(one.remark)]
            value = "" if one.share is None else self._say("used", percent=wording.percent(one.share))
            bar = None if one.share is None else _bar(one.share, tone or _GOOD)
            yield Line(self._head(one.what), value, tuple(note for note in notes if note), tone, bar)

    def _known(self, remark: Words | None) -> str:
        return "" if remark is None else self._say("known", remark=remark.of(self._language))

    def _pace(self, one: digest_facts.CapLine) -> str:
        if one.passed:
            return self._say("passed", day=one.passed)
        if one.reached:
            return self._say("reached", day=one.reached)
        return "" if one.used is None else self._say("not_reached")

    # alarms and what people do

    def _alarms(self) -> Iterable[Line]:
        for one in self._digest.alarms:
            span = self._say("since", start=self._at(one.since))
            if one.until is not None and one.state in ("returned", "unclosed"):
                span = self._say("since_until", start=self._at(one.since), end=self._at(one.until))
            key = f"digest.state_{one.state}"
            until = "" if one.shelved_until is None else self._at(one.shelved_until)
            state = text(key, self._language, by=one.acked_by, until=until) if key in sentences() else one.state
            tone = "" if one.until is not None else _BAD if one.severity == "breach" else _WARN
            notes = (self._joined([self._say("number", number=one.number), span, one_line(state)]),)
            event = "raised" if one.until is None else "cleared"
            facts = one.facts | {"until": one.until, "since": one.since}
            yield Line(self._headline(facts, event), "", notes, tone)

    def _held(self) -> Iterable[Line]:
        for one in self._digest.held:
            yield Line(self._headline(one.facts, one.event), self._at(one.at), self._listed(one.facts))

    def _headline(self, facts: Mapping[str, Any], event: str) -> str:
        """Say an event as its own mail would; its bare names where that mail is not known any more."""
        try:
            return one_line(headline(facts_of.read(facts), self._plant, self._language, event), 200)
        except (KeyError, ValueError):
            named = facts.get("point") or facts.get("outlet") or ""
            return one_line(f"{facts.get('kind')} ({event}) {named}", 200)

    def _listed(self, facts: Mapping[str, Any]) -> tuple[str, ...]:
        """Give the lines of a message that lists."""
        try:
            rows = listing.table(facts_of.read(facts), self._plant, self._language)[1:]
        except (KeyError, ValueError):
            return ()
        return tuple(one_line(" · ".join(cell for cell in row if cell != listing.NOTHING), 200) for row in rows)

    def _due(self) -> Iterable[Line]:
        for one in self._digest.due:
            said = self._say("overdue" if one.overdue else "due_by", time=self._deadline(one.by))
            head = one_line(f"{one.kind.of(self._language)} {one.what}")
            yield Line(head, said, (), _BAD if one.overdue else _WARN)

    def _calibrations(self) -> Iterable[Line]:
        return map(self._entry, self._digest.calibrations)

    def _entries(self) -> Iterable[Line]:
        return map(self._entry, self._digest.entries)

    def _entry(self, one: digest_facts.EntryLine) -> Line:
        when = self._at(one.start) if one.end is None else self._from_to(one.start, one.end)
        head = one_line(f"{one.what} · {one.kind.of(self._language)}")
        notes = [one_line(one.says.of(self._language)), one_line(one.reason or "")]
        signed = [*(note for note in notes if note), one_line(self._say("said_by", by=one.by))]
        return Line(head, when, (self._joined(signed),))

    def _compared(self) -> Iterable[Line]:
        for one in self._digest.compared:
            now, before = (self._compared_figure(value, one.unit) for value in (one.now, one.before))
            yield Line(one_line(one.what.of(self._language)), now, (self._say("before", value=before),))

    def _compared_figure(self, value: float | None, unit: str) -> str:
        return "–" if value is None else wording.quantity(wording.figure(value), wording.shown_unit(unit))

    def _frequent(self) -> Iterable[Line]:
        for one in self._digest.frequent:
            yield Line(self._headline(one.facts, "raised"), self._say("times", count=one.count))

    # plantmon itself

    def _service(self) -> Iterable[Line]:
        one = self._digest.service
        for component, since, why in one.failing:
            head = one_line(self._say("row_failing", component=component))
            yield Line(head, self._say("since", start=self._at(since)), (one_line(why),), _BAD)
        readings = listing.NOTHING if one.readings is None else f"{one.readings:,}"
        yield Line(self._say("row_readings"), readings, (), _WARN if one.readings == 0 else "")
        reasons = [f"{self._why(reason)} {count:,}" for reason, count in one.reasons]
        notes = (self._joined(reasons),) if reasons else ()
        yield Line(self._say("row_rejected"), f"{one.rejected:,}", notes, _WARN if one.rejected else "")
        if one.working:
            yield Line(self._say("row_working"), f"{one.working:,}")
        mails = self._say("mails", accepted=one.accepted)
        rest = self._say("mails_rest", refused=one.refused, queued=one.queued)
        yield Line(self._say("row_mails"), mails, (rest,), _WARN if one.refused else "")
        if one.disk_free is not None and one.disk_size is not None:
            free, size = (wording.figure(part / _GB) for part in (one.disk_free, one.disk_size))
            disk = self._say("disk", free=free, size=size)
            yield Line(self._say("row_disk"), disk, (), _BAD if one.is_disk_low else "")
        if one.plant_files:
            loaded = [self._say("loaded", time=self._at(at), hash=hash) for at, hash in one.plant_files]
            yield Line(self._say("row_plant_files"), str(len(loaded)), (self._joined(loaded),))
        yield Line(self._say("row_version"), f"plantmon {one.version}")

    def _why(self, reason: str) -> str:
        key = f"digest.why_{reason}"
        return text(key, self._language) if key in sentences() else one_line(reason)


def _bar(share: float, tone: str) -> Bar:
    """Draw a share of a limit; the bar ends a quarter beyond it."""
    return Bar(round(100 * min(max(share, 0.0), _SHOWN_TO) / _SHOWN_TO), round(100 / _SHOWN_TO), tone)
