"""This module proves that the reference pages know every key of the plant file and of the settings, and no other."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from plantmon.plant import group, schema
from plantmon.settings import setting_names
from plantmon.tables.load import default

DOCS = Path(__file__).parents[2] / "docs"
ROW = re.compile(r"^\| `([a-zA-Z0-9_.\[\]]+)` \| ([^|]*) \| ([^|]*) \|", re.M)


def _rows(page: str) -> dict[str, str]:
    """Give the default of every key a page has a row for."""
    text = (DOCS / page).read_text(encoding="utf-8")
    assert len(ROW.findall(text)) == len(dict.fromkeys(key for key, _, _ in ROW.findall(text)))
    return {key: default.strip() for key, _, default in ROW.findall(text)}


def _keys(model: type[BaseModel], prefix: str) -> Iterator[str]:
    """List the keys of a model; names are one value, tables are their keys, a list's item is []."""
    for name, field in model.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        inner, step = _inner(field.annotation)
        if inner is None or inner is schema.Names:
            yield path
        else:
            if inner in (schema.Ratio, schema.TaxRate):
                yield path
            yield from _keys(inner, f"{path}{step}.")


def _inner(annotation: Any) -> tuple[type[BaseModel] | None, str]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, ""
    steps = {dict: ".ID", tuple: "[]"}
    for part in typing.get_args(annotation):
        inner, step = _inner(part)
        if inner is not None:
            return inner, steps.get(typing.get_origin(annotation), "") + step
    return None, ""


KEYS = list(_keys(schema.File, ""))


def test_every_plant_file_key_is_documented() -> None:
    """Every key of the schema has a row in the reference, and every row is a key of the schema."""
    assert set(_rows("plant-file.md")) == set(KEYS)


def test_every_setting_is_documented() -> None:
    """Every setting has a row in the reference, and every row is a setting."""
    names = {name for name in setting_names() if "." in name}
    assert set(_rows("settings.md")) == names


RULES = ["valid_hour_minutes", "valid_day_hours", "oxygen_conversion", "mass", "compare", "valid_share", "lateness"]


MORE_RULES = [
    "future", "missing_flag", "reported_difference", "valid_month_days", "valid_february_days", "amount_share",
    "cap_warn_at", "clock_off", "day_begins", "night_begins",
]  # fmt: skip


@pytest.mark.parametrize("rule", [*RULES, *MORE_RULES])
def test_documented_defaults_are_the_real_ones(rule: str) -> None:
    """The reference shows the default of a rule that the table has."""
    assert _rows("plant-file.md")[f"rules.{rule}"] == default(rule)


def test_every_group_file_key_is_documented() -> None:
    """Every key of a group file stands in its page, and a key that stands there is one of the file's."""
    page = (DOCS / "group.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ((?:`[a-z_.\[\]]+`(?:, )?)+) \|", page, re.M)
    written: set[str] = set()
    for row in rows:
        first, *rest = re.findall(r"`([a-z_.\[\]]+)`", row)
        written |= {first, *(f"{first.rpartition('.')[0]}.{one}" for one in rest)}
    keys = {re.sub(r"from_", "from", key) for key in _keys(group.File, "")}
    assert keys <= written | {"plants[].name.en", "plants[].name.zh", "group.name.en", "group.name.zh"}, keys - written
    assert {key for key in written if key.startswith(("group.", "plants[]", "targets[]"))} <= keys | {"plants[].share"}
