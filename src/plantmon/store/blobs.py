"""This module packs what is spooled: readings as columns, everything else as rows, small and fast to make.

A batch is packed inside the transaction that stores it, so packing must cost little: columns are narrowed with numpy
and deflated at the lowest level; line protocol is made later, by whoever sends.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from plantmon.model.reading import Columns

_PLAIN, _DEFLATED = b"\0", b"\1"
# Of fewer bytes deflating saves nothing worth its time.
_WORTH_DEFLATING = 120
_HEAD = struct.Struct("<Iqqcccc")  # count, first instant, first point, then how each column is written
_SCALE = 1000.0  # most instruments give at most three decimals
_LARGEST_SCALED = 2_000_000_000
_INTS: dict[bytes, np.dtype[Any]] = {
    b"0": np.dtype("<i1"), b"1": np.dtype("<i2"), b"2": np.dtype("<i4"), b"3": np.dtype("<i8"),
}  # fmt: skip
_ZERO, _DOUBLE = b"z", b"d"


def pack_readings(readings: Columns) -> bytes:
    """Pack readings, every bit of them, in their order."""
    ts, point, flag = (np.ascontiguousarray(one, np.int64) for one in (readings.ts, readings.point, readings.flag))
    value = np.ascontiguousarray(readings.value, np.float64)
    steps, ts_code = _narrow(np.diff(ts, prepend=ts[:1]))
    hops, point_code = _narrow(np.diff(point, prepend=point[:1]))
    flags, flag_code = _narrow(flag) if flag.any() else (b"", _ZERO)
    values, value_code = _pack_values(value)
    first = (int(ts[0]), int(point[0])) if len(ts) else (0, 0)
    return _deflate(
        _HEAD.pack(len(ts), *first, ts_code, point_code, value_code, flag_code) + steps + hops + values + flags
    )


def unpack_readings(data: bytes) -> Columns:
    """Give back what `pack_readings` was given."""
    raw = _inflate(data)
    count, first_ts, first_point, ts_code, point_code, value_code, flag_code = _HEAD.unpack_from(raw)
    offset = _HEAD.size
    steps, offset = _take(raw, offset, count, ts_code)
    hops, offset = _take(raw, offset, count, point_code)
    if value_code == _DOUBLE:
        planes = np.frombuffer(raw, np.uint8, count * 8, offset).reshape(8, count)
        value, offset = np.ascontiguousarray(planes.T).view("<f8").ravel(), offset + count * 8
    else:
        scaled, offset = _take(raw, offset, count, value_code)
        value = np.cumsum(scaled, dtype=np.int64) / _SCALE
    flag = np.zeros(count, np.int64) if flag_code == _ZERO else _take(raw, offset, count, flag_code)[0].astype(np.int64)
    return Columns(
        first_ts + np.cumsum(steps, dtype=np.int64), first_point + np.cumsum(hops, dtype=np.int64),
        value.astype(np.float64), flag,
    )  # fmt: skip


def pack_rows(rows: Sequence[Sequence[Any]]) -> bytes:
    """Pack rows of numbers, texts and None."""
    return _deflate(msgspec.msgpack.encode(rows))


def unpack_rows(data: bytes) -> list[list[Any]]:
    """Give back what `pack_rows` was given."""
    rows: list[list[Any]] = msgspec.msgpack.decode(_inflate(data))
    return rows


def join_readings(parts: Sequence[Columns]) -> Columns:
    """Put readings behind one another."""
    return Columns(
        *(np.concatenate([getattr(one, name) for one in parts]) for name in ("ts", "point", "value", "flag"))
    )


def _narrow(column: NDArray[np.int64]) -> tuple[bytes, bytes]:
    """Write integers in as few bytes each as all of them fit; give them and the code of the width."""
    low, high = (int(column.min()), int(column.max())) if len(column) else (0, 0)
    for code, kind in _INTS.items():
        bound = 1 << (kind.itemsize * 8 - 1)
        if -bound <= low and high < bound:
            return column.astype(kind).tobytes(), code
    raise AssertionError("an int64 fits into 64 bits")


def _pack_values(value: NDArray[np.float64]) -> tuple[bytes, bytes]:
    """Write values as differences of thousandths where that gives every bit back, else as doubles, byte by byte."""
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.rint(value * _SCALE)
        is_small = bool((np.abs(scaled) < _LARGEST_SCALED).all())
    if is_small:
        thousandths: NDArray[np.int64] = scaled.astype(np.int64)
        if np.array_equal((thousandths / _SCALE).view(np.int64), value.view(np.int64)):
            steps: NDArray[np.int64] = np.diff(thousandths, prepend=thousandths[:1] * 0)
            return _narrow(steps)
    return value.view(np.uint8).reshape(-1, 8).T.tobytes(), _DOUBLE


def _take(raw: bytes, offset: int, count: int, code: bytes) -> tuple[NDArray[Any], int]:
    kind = _INTS[code]
    return np.frombuffer(raw, kind, count, offset), offset + count * kind.itemsize


def _deflate(raw: bytes) -> bytes:
    return _DEFLATED + zlib.compress(raw, 1) if len(raw) > _WORTH_DEFLATING else _PLAIN + raw


def _inflate(data: bytes) -> bytes:
    return zlib.decompress(data[1:]) if data[:1] == _DEFLATED else data[1:]
