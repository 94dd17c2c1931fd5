"""This module is `plantmon group`: one report of many plants, and where its figures come from, plant by plant."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from plantmon.cli_context import Context, fail
from plantmon.cli_tables import (
    Form,
    Lang,
    Out,
    Per,
    PeriodName,
    Plain,
    Previous,
    Style,
    Year,
    check_out,
    denominator_of,
    line_of,
    period_of,
    previous_of,
    print_json,
    put,
    written,
)
from plantmon.errors import PlantFileError
from plantmon.group.annual import annual, derivation, holdings
from plantmon.group.sources import Sources
from plantmon.group.sums import Sums
from plantmon.model.group import Group, Holding
from plantmon.model.metric import Annual
from plantmon.plant.group import load_group
from plantmon.reports.esg import explain
from plantmon.reports.esg.material import Grouped, Material
from plantmon.reports.esg.plain import plants_of
from plantmon.reports.esg.words import Speech
from plantmon.reports.period import parse_period

group_app = typer.Typer(help="Many plants: one consolidated report of what they published.")
GroupFile = Annotated[Path, typer.Option("--config", help="The group file: plants, shares, where they are read.")]


class _Group:
    """What the commands of a group know: the command line's context, and where the group file is."""

    def __init__(self, here: Context, file: Path) -> None:
        self.here = here
        self.file = file

    def load(self) -> Group:
        """Load the group file; fail with all its mistakes."""
        try:
            return load_group(self.file, self.here.language)
        except PlantFileError as error:
            for problem in error.problems:
                typer.echo(problem, err=True)
            fail(self.here.say("check_bad", count=len(error.problems)))


@group_app.callback()
def _main(context: typer.Context, config: GroupFile = Path("group.yaml")) -> None:
    context.obj = _Group(context.obj, config)


@group_app.command("report")
def group_report(
    context: typer.Context,
    year: Year = None,
    period: PeriodName = None,
    previous: Previous = None,
    style: Style = Form.TABLE,
    lang: Lang = None,
    out: Out = None,
) -> None:
    """Give the annual tables of the group: each figure the sum of share times figure, with the plants it is of."""
    chosen: _Group = context.obj
    here, group = chosen.here, chosen.load()
    name = period_of(here, year, period)
    other = previous_of(here, name, previous)
    check_out(here, style, out)
    sources = Sources()
    now = holdings(group, name, sources.read)
    before = holdings(group, other, sources.read) if other is not None else ()
    if previous is None and not any(one.statement for one in before):
        other, before = None, ()  # nothing is known of the year before
    found = annual(group, name, Sums(now), other, Sums(before) if other is not None else None)
    put(here, out, written(here, _material(group, found, now, before, str(lang or here.language)), style))


def _material(
    group: Group, found: Annual, now: tuple[Holding, ...], before: tuple[Holding, ...], language: str
) -> Material:  # fmt: skip
    period = parse_period(found.period)
    return Material(
        annual=found,
        kind=period.kind,
        plant_id=group.id,
        plant_name=group.name,
        permit=None,
        time=group.time,
        month_names=tuple(name for name, _, _ in period.months(group.time)),
        now_ms=int(time.time() * 1000),
        language=language,
        group=Grouped(group.approach, now, before),
    )


@group_app.command("explain")
def group_explain(
    context: typer.Context,
    metric: Annotated[str, typer.Argument(help="A metric, such as ghg.scope1.")],
    year: Year = None,
    period: PeriodName = None,
    per: Per = None,
    style: Annotated[Plain, typer.Option("--format", help="How to write it.")] = Plain.TEXT,
    lang: Lang = None,
) -> None:
    """Show what a figure of the group is made of: each plant's figure, share, coverage, factors, publication."""
    chosen: _Group = context.obj
    here, group = chosen.here, chosen.load()
    name = period_of(here, year, period)
    now = holdings(group, name, Sources().read)
    sums = Sums(now)
    found = annual(group, name, sums, None, None)
    line, denominator = line_of(here, found, metric), denominator_of(here, found, per)
    tree = derivation(line, denominator.id if denominator is not None else None, sums)
    language = str(lang or here.language)
    if style is Plain.JSON:
        parts = plants_of(Grouped(group.approach, now), metric)
        print_json({"group": group.id, "approach": str(group.approach), "metric": metric, "per": per, "period": name,
                    "plants": parts, "derivation": explain.as_object(tree, group.time)})  # fmt: skip
        return
    speech = Speech(language)
    head = " ".join(speech.say(f"approach.{group.approach}").split("\n"))
    notices = [speech.code("note", note).replace("\n", " ") for note in found.notes]
    typer.echo("\n".join([f"{' '.join(speech.name(group.name).split())} {name} · {head}", *notices,
                          explain.as_text(tree, speech)]))  # fmt: skip
