"""This module makes a group's report: its figures beside those of an earlier period, with intensities and targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from plantmon.esg.figures import checked
from plantmon.esg.periods import span_of
from plantmon.group.sums import Count, Sums
from plantmon.model.group import Group, Holding, Member, Statement
from plantmon.model.metric import Annual, Denominator, Figure, Line, TargetCheck, Term, TermKind
from plantmon.model.plant import Name, TargetRule

Read = Callable[[Member, str], Statement | None]


def holdings(group: Group, period: str, read: Read) -> tuple[Holding, ...]:
    """Read what the plants of a group state of a period; a plant without a share in that year is none of it.

    Raises StatementError, DeliveryError where a source cannot be read; ValueError where a text is no period.
    """
    year = span_of(period, group.time).year
    shares = [(member, member.share_in(year)) for member in group.members]
    return tuple(Holding(member, share, read(member, period)) for member, share in shares if share is not None)


def annual(group: Group, period: str, now: Sums, previous: str | None, before: Sums | None) -> Annual:
    """Put a group's figures of two periods side by side."""
    span = span_of(period, group.time)
    denominators = tuple(_denominator(id, now, before) for id in now.denominators)
    return Annual(
        span.name,
        previous if before is not None else None,
        span.edges[0],
        span.edges[-1],
        tuple(_line(group, id, now, before, span.year) for id in now.metrics),
        denominators,
        tuple(dict.fromkeys((*now.factors, *(before.factors if before is not None else ())))),
        tuple(_notices(now, before)),
    )


def _denominator(id: str, now: Sums, before: Sums | None) -> Denominator:
    figure = now.denominator(id)
    earlier = before.denominator(id).value if before is not None and id in before.denominators else None
    return Denominator(id, figure.metric.name, figure.metric.unit, figure.value, earlier, figure)


def _line(group: Group, id: str, now: Sums, before: Sums | None, year: int) -> Line:
    figure = now.figure(id)
    chosen = list(now.denominators) if now.metrics[id].is_intensive else []
    per = {one: now.intensity(id, one) for one in chosen}
    earlier: Figure | None = None
    is_comparable = True
    if before is not None and id in before.metrics:
        earlier = before.figure(id)
        unlike = _unlike(now.count(id), before.count(id), now, before)
        is_comparable = not unlike
        if unlike and figure.value is not None and earlier.value is not None:
            figure = _noted(figure, f"change_unlike:{', '.join(unlike)}")
    figure = _noted(figure, *_only_of(id, now, chosen))
    known = before is not None and id in before.metrics
    previous_per = {
        one: before.intensity(id, one) if before is not None and known and one in before.denominators else None
        for one in chosen
    }
    rules = [target for target in group.targets if target.metric == id and target.year == year]
    checks = tuple(_checked(target, figure, per, now.count(id)) for target in rules)
    return Line(figure, earlier, per, previous_per, checks, is_comparable)


def _unlike(now: Count, before: Count, sums: Sums, earlier: Sums) -> list[str]:
    """Name the plants of both periods whose part is in one of the two sums only."""
    both = _ids(sums.holdings) & _ids(earlier.holdings)
    return sorted((now.lacking ^ before.lacking) & both)


def _ids(holdings: Sequence[Holding]) -> set[str]:
    return {one.member.id for one in holdings}


def _only_of(id: str, sums: Sums, denominators: list[str]) -> list[str]:
    """Say of which plants an intensity is, where that is not all whose figure is known."""
    known = set(sums.count(id).known)
    notes = []
    for one in denominators if sums.figure(id).value is not None else []:
        found = sums.per(id, one)
        if found is None:
            notes.append(f"no_plant_of_both:{one}")
        elif set(found[2]) != known:
            notes.append(f"intensity_of:{one}: {', '.join(found[2])}")
    return notes


def _noted(figure: Figure, *notes: str) -> Figure:
    said = (*figure.notes, *notes)
    return replace(figure, notes=said, term=replace(figure.term, notes=said)) if notes else figure


def _checked(target: TargetRule, figure: Figure, per: dict[str, Decimal | None], count: Count) -> TargetCheck:
    """Compare with a target; while plants lack, a sum can have passed a maximum or a minimum, and no more is known."""
    reached = figure.value if target.per is None else per.get(target.per)
    found = checked(target, reached, figure.metric.unit)
    if found.is_met is None or not count.lacking:
        return found
    is_passed = target.per is None and reached is not None and found.maximum is not None and reached > found.maximum
    return replace(found, is_met=False if is_passed else None)


def _notices(now: Sums, before: Sums | None) -> list[str]:
    """Say what must be known of the whole report."""
    missing = [one.member.id for one in now.holdings if one.statement is None]
    drafts = [one.member.id for one in now.holdings if one.is_provisional]
    notes = [f"group_missing:{', '.join(missing)}"] if missing else []
    notes += [f"group_provisional:{', '.join(drafts)}"] if drafts else []
    if before is not None:
        gone = [one.member.id for one in before.holdings if one.statement is None]
        notes += [f"group_missing_before:{', '.join(gone)}"] if gone else []
        shares, earlier = ({one.member.id: one.share for one in sums.holdings} for sums in (now, before))
        moved = [id for id in dict.fromkeys([*earlier, *shares]) if earlier.get(id) != shares.get(id)]
        notes += [f"group_shares:{_moved(moved, earlier, shares)}"] if moved else []
    return notes


def _moved(plants: list[str], earlier: dict[str, Decimal], shares: dict[str, Decimal]) -> str:
    return ", ".join(f"{id} {_pct(earlier.get(id))} → {_pct(shares.get(id))}" for id in plants)


def _pct(share: Decimal | None) -> str:
    return "–" if share is None else f"{(share.scaleb(2)).normalize():f} %"


def derivation(line: Line, per: str | None, now: Sums) -> Term:
    """Give where a group's figure comes from, plant by plant; with `per` the quotient of the plants that know both."""
    if per is None:
        return line.figure.term
    metric, divisor = line.figure.metric, now.denominators[per]
    found = now.per(metric.id, per)
    value = line.per.get(per)
    names = Name(f"{metric.name.en} per {divisor.name.en}", f"每{divisor.name.zh}{metric.name.zh}")
    terms = found[:2] if found is not None else (line.figure.term, now.denominator(per).term)
    reason = (
        None if value is not None else line.figure.reason or ("no_denominator" if found is None else "zero_denominator")
    )
    return Term(
        TermKind.QUOTIENT, names, value, f"{metric.unit}/{divisor.unit}", terms, reason=reason,
        id=f"{metric.id}/{per}",
    )  # fmt: skip
