"""This module reads what stands in `CP=&&...&&`: fields such as `DataTime`, and the values of each code.

`code-Suffix=value`, with `,` between the values of one code and `;` between codes (HJ 212-2017 section 6.3.4); devices
mix the two, so what belongs together is told by the code. A value that cannot be read is a fault beside the others.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from plantmon.errors import DecodeError
from plantmon.model.reading import flag_code

# HJ 212-2017 Table 4; `zscou` is not in it but occurs. Minimum, mean, maximum and amount are over the period, `zs...`
# converted to the reference oxygen, `rt` hours a facility ran, `rs` its state, `...data` noise.
NUMBERS = frozenset(
    {"rtd", "avg", "min", "max", "cou", "zsrtd", "zsavg", "zsmin", "zsmax", "zscou"}
    | {"rt", "rs", "data", "daydata", "nightdata"}
)
_BETWEEN = re.compile(r"[;,]")
_CODE = re.compile(r"[A-Za-z0-9._]{1,24}")
_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,3})?")
# HJ 212-2025 section 8.1.1 d: what cannot be computed is sent as the largest value of its type, 9999.99 and the like.
_NOT_COMPUTABLE = re.compile(r"-?(9{4,}(\.9+)?|9{3}\.9+)")


class ItemFault(NamedTuple):
    """A code (or field) whose value cannot be used, and why."""

    code: str
    what: str


@dataclass(frozen=True, slots=True)
class Item:
    """What a frame says of one code.

    `values` holds the numbers by the names in NUMBERS; a missing one is not there. `not_computable` names converted
    values that the device could not compute (2025). `flag` is None when missing. `texts` are all other suffixes.
    """

    code: str
    values: dict[str, float] = field(default_factory=dict)
    flag: str | None = None
    eflag: str | None = None
    sample_time_ms: int | None = None
    not_computable: tuple[str, ...] = ()
    texts: dict[str, str] = field(default_factory=dict)


class Content(NamedTuple):
    """What stands in a CP; names in `fields` are in capitals."""

    fields: dict[str, str]
    items: tuple[Item, ...]
    faults: tuple[ItemFault, ...]


def read(cp: str, moment_ms: Callable[[str], int], *, has_sentinels: bool) -> Content:
    """Read a CP; `has_sentinels` says whether a converted 9999.99 means "not computable"."""
    fields: dict[str, str] = {}
    codes: dict[str, dict[str, str]] = {}
    faults: list[ItemFault] = []
    for part in filter(None, map(str.strip, _BETWEEN.split(cp))):
        name, is_pair, value = (text.strip() for text in part.partition("="))
        code, is_attribute, suffix = name.rpartition("-")
        if not is_pair:
            faults.append(ItemFault("", f"{part[:40]!r} is not name=value"))
        elif not is_attribute:
            fields.setdefault(name.upper(), value)
        elif not _CODE.fullmatch(code):
            faults.append(ItemFault(code[:24], f"{name[:40]!r} begins with no code"))
        else:
            faults += _keep_first(codes.setdefault(code, {}), code, suffix, value)
    items = [_item(code, texts, moment_ms, has_sentinels, faults) for code, texts in codes.items()]
    return Content(fields, tuple(item for item in items if item is not None), tuple(faults))


def _keep_first(texts: dict[str, str], code: str, suffix: str, value: str) -> list[ItemFault]:
    """Put a value to its code; the first stands, an empty one is missing."""
    if not value or texts.setdefault(suffix.lower(), value) == value:
        return []
    first = texts[suffix.lower()]
    return [ItemFault(code, f"{suffix[:12]} stands twice, {first[:20]!r} and {value[:20]!r}; the first is used")]


def _item(
    code: str, texts: dict[str, str], moment_ms: Callable[[str], int], has_sentinels: bool, faults: list[ItemFault]
) -> Item | None:
    """Make a code's item; None, with its fault, where flag or time are there but not to be read.

    Without them its values would pass for normal ones, or for new ones at every repetition.
    """
    try:
        flag = _flag(texts.pop("flag", None))
        sampled = texts.pop("sampletime", None)
        sample_time_ms = None if sampled is None else moment_ms(sampled)
    except DecodeError as error:
        faults.append(ItemFault(code, f"{error}; its values are not used"))
        return None
    eflag = texts.pop("eflag", None)
    numbers = {name: texts.pop(name) for name in list(texts) if name in NUMBERS}
    none = _not_computable(numbers) if has_sentinels else ()
    values = _values(code, {name: text for name, text in numbers.items() if name not in none}, faults)
    return Item(code, values, flag, eflag, sample_time_ms, none, texts)


def _flag(letters: str | None) -> str | None:
    if letters is None:
        return None
    try:
        flag_code(letters)
    except ValueError as error:
        raise DecodeError(str(error)) from None
    return letters


def _not_computable(numbers: dict[str, str]) -> tuple[str, ...]:
    return tuple(
        name for name, text in numbers.items() if name.startswith("zs") and _NOT_COMPUTABLE.fullmatch(text) is not None
    )


def _values(code: str, numbers: dict[str, str], faults: list[ItemFault]) -> dict[str, float]:
    values: dict[str, float] = {}
    for name, text in numbers.items():
        value = float(text) if len(text) <= 64 and _NUMBER.fullmatch(text) else math.nan
        if math.isfinite(value):
            values[name] = value
        else:
            faults.append(ItemFault(code, f"{name}: {text[:40]!r} is not a number"))
    return values
