"""This module writes figures as text and reads them back, bit for bit: decimals stay decimals, nothing is rounded."""

from __future__ import annotations

import hashlib
import json
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

T = TypeVar("T")


def write(value: object) -> str:
    """Write a dataclass as JSON, its fields and the keys of its tables in their order."""
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))


def digest(text: str) -> str:
    """Give a text's sha256."""
    return hashlib.sha256(text.encode()).hexdigest()


def read(kind: type[T], text: str) -> T:
    """Read a dataclass from its text."""
    found: T = _typed(kind, json.loads(text))
    return found


def _plain(value: object) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value


def _typed(kind: Any, value: Any) -> Any:
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        inner = [one for one in typing.get_args(kind) if one is not type(None)]
        return None if value is None else _typed(inner[0], value)
    if origin is tuple:
        part = typing.get_args(kind)[0]
        return tuple(_typed(part, one) for one in value)
    if origin is not None:  # Mapping[str, X]
        return {key: _typed(typing.get_args(kind)[1], one) for key, one in value.items()}
    if is_dataclass(kind):
        hints = _hints(typing.cast(type, kind))
        return typing.cast(type, kind)(**{name: _typed(hints[name], one) for name, one in value.items()})
    if isinstance(kind, type) and issubclass(kind, Decimal | StrEnum):
        return kind(value)
    return value


@lru_cache(maxsize=64)
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)
