"""This module lists exceedances: those that stand, with what people wrote to them, and those taken back."""

from __future__ import annotations

from collections.abc import Sequence

from plantmon.compliance.exceedances import Taken, points_of, withdrawals
from plantmon.compliance.register import Entry, Excursion
from plantmon.model.plant import Limit
from plantmon.model.verdict import Outcome
from plantmon.reports.document import Against, Cell, Moment, Part, Scope, moment
from plantmon.reports.exceeded import exceeded
from plantmon.reports.words import figure, limit_bounds, limit_subject, limit_window
from plantmon.store.register import Note
from plantmon.store.verdicts import Withdrawn

EXCURSIONS_SHOWN = 20


def register(scope: Scope) -> Part:
    """List the exceedances that overlap the scope, whole, oldest first.

    Cause and action are those of the newest note; older ones stand in a column of their own.
    """
    points = points_of(scope.plant, scope.permit)
    columns = scope.columns(
        "outlet", "-limit", "+subject", "+window", "from", "to", "windows", "-first", "-last", "peak", "-mean",
        "-bound", "+bounds", "-unit", "multiple", "at_least", "readings", "over_range", "excursions", "cause",
        "action", "by", "-earlier_notes",
    )  # fmt: skip
    rows: list[list[Cell]] = []
    for one in exceeded(scope):
        limit, entry = one.limit, one.entry
        rows.append(
            [
                limit.outlet, limit.key, limit_subject(scope, limit, points), limit_window(scope, limit),
                Moment(entry.start), Moment(entry.end), entry.windows, Moment(one.first), moment(one.last),
                Against.of(entry.peak, entry.bound), entry.mean, entry.bound, limit_bounds(limit), limit.unit,
                _multiple(entry), entry.at_least, entry.behind.readings, entry.behind.over_range,
                _excursions(scope, entry), *noted(scope, entry.notes),
            ]
        )  # fmt: skip
    return scope.part("register", columns, rows, scope.say("remark.register"))


def _multiple(entry: Entry) -> float | None:
    return None if entry.multiple is None else float(f"{entry.multiple:.12g}")


def _excursions(scope: Scope, entry: Entry) -> str | None:
    """Tell the runs of single readings: from when to when, and their worst."""
    told = [_excursion(scope, one) for one in entry.excursions[:EXCURSIONS_SHOWN]]
    if len(entry.excursions) > EXCURSIONS_SHOWN:
        told.append(scope.say("more", count=len(entry.excursions) - EXCURSIONS_SHOWN))
    return "; ".join(told) or None


def _excursion(scope: Scope, one: Excursion) -> str:
    time = scope.plant.time
    first, last = time.show(one.first_ms), time.show(one.last_ms)
    return f"{first} – {last[11:] if last[:10] == first[:10] else last} ({figure(one.peak)})"


def noted(scope: Scope, notes: Sequence[Note]) -> list[Cell]:
    """Give the newest note's cause, action and author, and the earlier ones in one cell."""
    if not notes:
        return [None, None, None, None]
    newest, *older = notes
    return [newest.cause, newest.action, newest.by, "; ".join(_older(scope, note) for note in older) or None]


def _older(scope: Scope, note: Note) -> str:
    time = scope.plant.time
    at, window = time.show(note.noted_ms), time.show(note.start)
    return scope.say("older_note", at=at, by=note.by, window=window, cause=note.cause, action=note.action)


def withdrawn(scope: Scope) -> Part:
    """List every exceedance of windows that begin in the scope and was taken back, with what was said instead."""
    return _withdrawn(scope, withdrawals(scope.connection, scope.permit, scope.start, scope.end))


def withdrawn_for_good(scope: Scope) -> Part:
    """List the windows whose exceedance was taken back and does not stand again, each with its last withdrawal."""
    found = withdrawals(scope.connection, scope.permit, scope.start, scope.end)
    last = {(one.withdrawn.limit_key, one.withdrawn.start): one for one in found if not one.stands_again}
    kept = sorted(last.values(), key=lambda one: (one.withdrawn.start, one.withdrawn.limit_key))
    more = len(found) - len(kept)
    return _withdrawn(scope, kept, scope.say("remark.withdrawn", count=more) if more else "")


def _withdrawn(scope: Scope, found: Sequence[Taken], remark: str = "") -> Part:
    points = points_of(scope.plant, scope.permit)
    columns = scope.columns(
        "outlet", "-limit", "+subject", "+window", "from", "to", "value", "bound", "unit", "at_least", "withdrawn_at",
        "now_said", "-stands_again", "cause", "action", "by", "-earlier_notes",
    )  # fmt: skip
    rows: list[list[Cell]] = []
    for one in found:
        was, limit = one.withdrawn, one.limit
        what: list[Cell] = [was.limit_key.partition("/")[0], was.limit_key, was.limit_key, ""]
        if limit is not None:
            what = [limit.outlet, limit.key, limit_subject(scope, limit, points), limit_window(scope, limit)]
        value = None if was.value is None else Against.of(was.value, was.bound)
        rows.append(
            [
                *what, Moment(was.start), Moment(was.end), value, was.bound, limit.unit if limit else None,
                was.outcome is Outcome.EXCEED_AT_LEAST, Moment(was.withdrawn_ms), now_said(scope, was, limit),
                one.stands_again, *noted(scope, one.notes),
            ]
        )  # fmt: skip
    return scope.part("withdrawn", columns, rows, remark)


def now_said(scope: Scope, was: Withdrawn, limit: Limit | None) -> str:
    """Say why an exceedance was taken back."""
    if was.now_outcome is None:
        return scope.say("now.no_limit")
    if was.now_outcome is Outcome.NOT_JUDGED:
        return scope.say("now.not_judged", reason=scope.say(f"column.{was.now_reason}"))
    value = "" if was.now_value is None else figure(was.now_value, was.bound)
    return scope.say("now.complies", value=f"{value} {limit.unit if limit else ''}".strip())
