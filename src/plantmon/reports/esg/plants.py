"""This module lays out the plants of a group: their shares, what was read of them, their main figures."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from plantmon.reports.esg import words
from plantmon.reports.esg.material import Material, Part
from plantmon.reports.esg.tables import KEY_METRICS, MOST_KEYS, Cell, Heading, Table, number
from plantmon.reports.esg.words import DASH, Speech


class State(StrEnum):
    """What became of a plant in the period of a group's report."""

    PUBLISHED = "published"
    PROVISIONAL = "provisional"
    MISSING = "missing"
    NONE = "none"  # it was the group's in the period before alone


def state_of(part: Part) -> State:
    """Tell whether a plant's figures of the period are published, provisional or missing."""
    if part.now is None:
        return State.NONE
    if part.now.statement is None:
        return State.MISSING
    return State.PROVISIONAL if part.now.is_provisional else State.PUBLISHED


def share_pct(share: Decimal | None) -> str:
    """Print a share with all its digits, a dash where the plant is none of the group's.

    >>> share_pct(Decimal("0.515")), share_pct(Decimal(1)), share_pct(None)
    ('51.5 %', '100 %', '–')
    """
    return DASH if share is None else f"{words.digits(share.scaleb(2))} %"


def state_words(speech: Speech, part: Part) -> str:
    """Say a plant's state, with when and with which hash it published."""
    state = state_of(part)
    told = part.now.statement if part.now is not None else None
    if state is State.PUBLISHED and told is not None:
        return speech.say("published", when=told.published)
    return speech.say(f"plant_state.{state}")


def plants(material: Material) -> Table | None:
    """Give the plants of a group with their shares and what was read of them; None for a plant's own report."""
    if material.group is None:
        return None
    speech, previous = material.speech, material.annual.previous
    rows = []
    for part in material.group.parts:
        style = "" if state_of(part) is State.PUBLISHED else "wrong"
        shares = [number(share_pct(part.now.share if part.now else None))]
        shares += [number(share_pct(part.before.share if part.before else None))] if previous else []
        told = part.now.statement if part.now is not None else None
        rows.append(
            (
                Cell(speech.title(part.member.name), "indicator", part.member.id),
                *shares,
                Cell(state_words(speech, part), style),
                Cell("" if told is None else told.origin, "free"),
            )
        )
    heads = [Heading(speech.say("column.plant")), Heading(_share_of(material, material.annual.period), "number")]
    heads += [Heading(_share_of(material, previous), "number")] if previous else []
    heads += [Heading(speech.say("column.published_state")), Heading(speech.say("column.source"), "free")]
    return Table("plants", speech.say("section.plants"), tuple(heads), tuple(rows))


def _share_of(material: Material, period: str) -> str:
    return f"{material.speech.say('column.holding')}\n{period}"


def by_plant(material: Material) -> Table | None:
    """Give the key figures of each plant as it states them, and the group's below; None for a plant's own report."""
    if material.group is None:
        return None
    speech = material.speech
    known = [line for id in KEY_METRICS if (line := material.line(id)) is not None and line.figure.value is not None]
    chosen = [line.figure for line in known[:MOST_KEYS]]
    if not chosen:
        return None
    rows = []
    for part in (one for one in material.group.parts if one.now is not None):
        cells = [Cell(speech.title(part.member.name), "indicator", part.member.id)]
        for figure in chosen:
            stated = part.figure(figure.metric.id)
            cells.append(number(DASH if stated is None else words.of_metric(stated.value, stated.metric)))
        rows.append(tuple(cells))
    group = [Cell(words.of_metric(figure.value, figure.metric), "number now") for figure in chosen]
    rows.append((Cell(speech.say("group_total"), "indicator"), *group))
    heads = [Heading(speech.say("column.plant"))]
    heads += [Heading(f"{speech.title(one.metric.name)}\n{speech.unit(one.metric.unit)}", "number") for one in chosen]
    return Table("by-plant", speech.say("section.by_plant"), tuple(heads), tuple(rows))
