"""This module decodes format `json`: one reading a message, under the names the feed gives its fields.

`{"ts": ..., "value": 41.2, "unit": "mg/m3", "flag": "N"}`; unit and flag may be missing. msgspec refuses what JSON
does not allow (NaN, 1e999, text as a value, naive times); fields that the feed does not name are passed over.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, NamedTuple

import msgspec

from plantmon.errors import DecodeError
from plantmon.feed.decode.instant import instant_ms

Moment = Annotated[datetime, msgspec.Meta(tz=True)] | int | float


class Item(NamedTuple):
    """One value as sent; `ts_ms` None when the message names no time, unit and flag None when missing."""

    ts_ms: int | None
    value: float
    unit: str | None
    flag: str | None


class _Message(msgspec.Struct, gc=False):
    value: float
    ts: Moment | None = None
    unit: str | None = None
    flag: str | None = None


_plain = msgspec.json.Decoder(_Message)
_any = msgspec.json.Decoder(dict[str, Any])
# RecursionError: deeply nested brackets; OverflowError: an integer too large for a float; ValueError: bad UTF-8.
FAULTS = (msgspec.DecodeError, RecursionError, OverflowError, ValueError)


def decode(payload: bytes) -> Item:
    """Decode a message with the default field names. Raises DecodeError."""
    try:
        message = _plain.decode(payload)
    except FAULTS as error:
        raise DecodeError(str(error)[:300]) from None
    moment = message.ts
    return Item(None if moment is None else instant_ms(moment), message.value, message.unit, message.flag)


def decode_named(payload: bytes, ts: str, value: str, unit: str, flag: str) -> Item:
    """Decode a message with other names; a dotted name steps into an object. Raises DecodeError."""
    try:
        tree = _any.decode(payload)
        message = msgspec.convert(
            {"ts": _find(tree, ts), "value": _find(tree, value), "unit": _find(tree, unit), "flag": _find(tree, flag)},
            _Message,
        )
    except FAULTS as error:
        raise DecodeError(str(error)[:300]) from None
    moment = message.ts
    return Item(None if moment is None else instant_ms(moment), message.value, message.unit, message.flag)


def _find(tree: dict[str, Any], path: str) -> Any:
    """Give what stands at a dotted path, None where nothing does."""
    if path in tree:
        return tree[path]
    node: Any = tree
    for step in path.split("."):
        if not isinstance(node, dict) or step not in node:
            return None
        node = node[step]
    return node
