"""This module loads a group file: which plants, with which shares, read from where; as strict as the plant file."""

from __future__ import annotations

import itertools
import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field

from plantmon.errors import PlantFileError
from plantmon.model import group as model
from plantmon.model.plant import Name
from plantmon.plant.compile import target_of
from plantmon.plant.document import parse
from plantmon.plant.esg import check_target
from plantmon.plant.fitting import say
from plantmon.plant.load import text_of
from plantmon.plant.problems import Mistake, Problems
from plantmon.plant.schema import Name as NameField
from plantmon.plant.schema import Target, Written
from plantmon.plant.shape import shaped
from plantmon.plant.values import PlantId, Text, Whole, Zone
from plantmon.times import PlantTime

DEFAULT_ZONE = "Asia/Shanghai"
WHOLE, NOTHING = Decimal(100), Decimal(0)  # shares in a plant that a group controls, or does not
_PCT = re.compile(r"\s*(\d{1,3}(?:\.\d{1,9})?)\s*%\s*")
_URL = re.compile(r"https?://[^\s/]+\S*")
_STAND_INS = {
    "group": {"id": "unknown", "name": "unknown", "approach": "equity"},
    "plants": [{"id": "unknown", "name": "unknown", "share": "100 %", "from": {"report": "unknown"}}],
}


def read_pct(value: object) -> Decimal:
    """Read `51.5 %`; a bare number may be meant as a part of one, and is none."""
    match = _PCT.fullmatch(value) if isinstance(value, str) else None
    if match is None or Decimal(match[1]) > WHOLE:
        raise Mistake("ownership", given=value)
    return Decimal(match[1])


def _share_spans(value: Any) -> Any:
    """Take a bare share for one of all years."""
    return [{"value": value}] if not isinstance(value, list) else value


def _url(value: object) -> str:
    if not isinstance(value, str) or not _URL.fullmatch(value):
        raise Mistake("url", given=value)
    return value


Pct = Annotated[Decimal, BeforeValidator(read_pct)]
Year = Annotated[Whole, Field(ge=1970, le=2200)]


class Share(Written):
    """A share and the years it holds for, both inclusive."""

    value: Pct
    from_: Year | None = Field(default=None, alias="from")
    to: Year | None = None


class Influx(Written):
    """An InfluxDB plants publish into."""

    url: Annotated[str, BeforeValidator(_url)]
    org: Text
    bucket: Text
    token_file: Text | None = None
    ca: Text | None = None


class From(Written):
    """Where a plant's figures are read: published report files, or an InfluxDB."""

    report: Text | None = None
    influx: Influx | None = None


class Member(Written):
    """A plant of the group."""

    id: PlantId
    name: NameField
    share: Annotated[tuple[Share, ...], BeforeValidator(_share_spans), Field(min_length=1)]
    from_: From = Field(alias="from")


class Group(Written):
    """Which group it is, and how it takes its plants in."""

    id: PlantId
    name: NameField
    approach: Literal["equity", "operational", "financial"]
    timezone: Zone | None = None


class File(Written):
    """A whole group file."""

    group: Group
    plants: Annotated[tuple[Member, ...], Field(min_length=1)]
    targets: tuple[Target, ...] = ()


def load_group(path: Path, language: str = "en") -> model.Group:
    """Load the group file at a path. Raises PlantFileError with all its mistakes, in `en` or `zh`.

    Paths in it are taken from its own folder.
    """
    return load_group_text(text_of(path, language), str(path), path.parent, language)


def load_group_text(text: str, filename: str, folder: Path, language: str = "en") -> model.Group:
    """Load a group file's text. Raises PlantFileError with all its mistakes, in `en` or `zh`."""
    problems = Problems()
    document = parse(text, problems)
    file = shaped(document, problems, File, _STAND_INS) if document is not None else None
    if file is not None:
        _check(file, problems)
    if problems.found or file is None:
        raise PlantFileError(problems.told(filename, language))
    return _compiled(file, folder)


def _check(file: File, problems: Problems) -> None:
    first: dict[str, Member] = {}
    for member in file.plants:
        if member.path() in problems.damaged:
            continue
        if first.setdefault(member.id, member) is not member:
            say(problems, member, "id", "plant_twice", given=member.id, line=first[member.id].line("id"))
        _check_shares(file.group, member, problems)
        source = member.from_
        if (source.report is None) == (source.influx is None) and source.path() not in problems.damaged:
            say(problems, member, "from", "report_or_influx")
    for target in file.targets:
        check_target(target, problems, {})
        if target.min is None and target.max is None and target.path() not in problems.damaged:
            say(problems, target, None, "min_or_max")


def _check_shares(group: Group, member: Member, problems: Problems) -> None:
    """Note years that end before they begin or have two shares, and parts of a plant under an approach of control."""
    for share in member.share:
        if share.from_ is not None and share.to is not None and share.from_ > share.to:
            say(problems, share, "to", "to_before_from", start=share.from_, end=share.to)
        is_part = share.value not in (WHOLE, NOTHING)
        if group.approach != "equity" and group.path() not in problems.damaged and is_part:
            # A bare share has no mapping of its own: the mistake stands at the plant's key.
            written = share if share.path() else member
            key = "value" if share.path() else "share"
            say(problems, written, key, "share_of_control", given=f"{share.value} %", approach=group.approach)
    for one, other in itertools.combinations(member.share, 2):
        if (one.from_ or 0) <= (other.to or 9999) and (other.from_ or 0) <= (one.to or 9999):
            say(problems, other, None, "shares_overlap", other=one.line())


def _compiled(file: File, folder: Path) -> model.Group:
    zone = file.group.timezone
    return model.Group(
        file.group.id,
        Name(file.group.name.en, file.group.name.zh),
        model.Approach(file.group.approach),
        PlantTime(zone if zone is not None else ZoneInfo(DEFAULT_ZONE)),
        tuple(_member(member, folder) for member in file.plants),
        tuple(map(target_of, file.targets)),
    )


def _member(member: Member, folder: Path) -> model.Member:
    shares = tuple(model.Share(one.value, one.from_, one.to) for one in member.share)
    source: model.ReportFiles | model.InfluxBucket
    if member.from_.influx is not None:
        one = member.from_.influx
        source = model.InfluxBucket(
            one.url, one.org, one.bucket, _beside(folder, one.token_file), _beside(folder, one.ca)
        )
    else:
        source = model.ReportFiles(str(folder.absolute() / (member.from_.report or "")))
    return model.Member(member.id, Name(member.name.en, member.name.zh), shares, source)


def _beside(folder: Path, name: str | None) -> Path | None:
    return None if name is None else folder.absolute() / name
