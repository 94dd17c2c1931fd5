"""This module proves what a payload means, and that nothing that is not clearly a reading becomes one."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plantmon.errors import DecodeError
from plantmon.feed.decode import json_batch
from plantmon.feed.decode.instant import instant_ms
from plantmon.feed.decode.json import Item, decode, decode_named
from plantmon.feed.decode.json_batch import Series, Snapshot

NOON = 1_583_035_200_000  # 2020-03-01T12:00:00+08:00


@pytest.mark.parametrize(
    ("ts", "ms"),
    [
        pytest.param('"2020-03-01T12:00:00+08:00"', NOON, id="ISO with offset"),
        pytest.param('"2020-03-01T04:00:00Z"', NOON, id="ISO in UTC"),
        pytest.param('"2020-03-01T12:00:00.250+08:00"', NOON + 250, id="milliseconds"),
        pytest.param('"2020-03-01T12:00:00.0009+08:00"', NOON, id="below a millisecond is dropped"),
        pytest.param('"2020-03-01 12:00:00+08:00"', NOON, id="a blank for the T"),
        pytest.param("1583035200000", NOON, id="epoch milliseconds"),
        pytest.param("1583035200", NOON, id="epoch seconds"),
        pytest.param("1583035200.25", NOON + 250, id="epoch seconds with a fraction"),
        pytest.param("1.5830352e9", NOON, id="epoch seconds with an exponent"),
        pytest.param("0", 0, id="the epoch itself"),
    ],
)
def test_times(ts: str, ms: int) -> None:
    """A time is ISO with its zone, or epoch seconds or milliseconds."""
    assert decode(f'{{"ts": {ts}, "value": 1}}'.encode()).ts_ms == ms


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param('{"ts": "2020-03-01T12:00:00", "value": 1}', id="naive time"),
        pytest.param('{"ts": "2020-03-01", "value": 1}', id="a date"),
        pytest.param('{"ts": "2020-03-01T23:59:60Z", "value": 1}', id="leap second"),
        pytest.param('{"ts": "2020-03-01T24:00:00Z", "value": 1}', id="24:00"),
        pytest.param('{"ts": "noon", "value": 1}', id="text for a time"),
        pytest.param('{"ts": true, "value": 1}', id="true for a time"),
        pytest.param('{"ts": -1, "value": 1}', id="before 1970"),
        pytest.param('{"ts": "1969-12-31T00:00:00Z", "value": 1}', id="ISO before 1970"),
        pytest.param('{"ts": 253402300800000, "value": 1}', id="year 10000"),
        pytest.param('{"ts": 9223372036854775808, "value": 1}', id="beyond 64 bits"),
        pytest.param('{"ts": 1e300, "value": 1}', id="far beyond 64 bits"),
        pytest.param(f'{{"ts": {"9" * 400}, "value": 1}}', id="400 digits"),
        pytest.param('{"ts": 1, "value": NaN}', id="NaN"),
        pytest.param('{"ts": 1, "value": Infinity}', id="infinity"),
        pytest.param('{"ts": 1, "value": 1e999}', id="1e999"),
        pytest.param('{"ts": 1, "value": "1"}', id="text for a value"),
        pytest.param('{"ts": 1, "value": true}', id="true for a value"),
        pytest.param('{"ts": 1, "value": null}', id="null for a value"),
        pytest.param('{"ts": 1, "value": [1]}', id="list for a value"),
        pytest.param('{"ts": 1}', id="no value"),
        pytest.param('{"ts": 1, "value": 1, "unit": 3}', id="number for a unit"),
        pytest.param('{"ts": 1, "value": 1, "flag": 0}', id="number for a flag"),
        pytest.param("\ufeff" + '{"ts": 1, "value": 1}', id="byte order mark"),
        pytest.param("", id="nothing"),
        pytest.param("1", id="a number"),
        pytest.param("[]", id="a list"),
        pytest.param('{"ts": 1, "value": 1', id="cut off"),
        pytest.param('{"ts": 1, "value": 1} {}', id="two messages"),
        pytest.param("[" * 100_000, id="open brackets 100k deep"),
        pytest.param('{"x": ' * 100_000, id="open braces 100k deep"),
        pytest.param('{"ts": 1, "value": 1, "x": ' + "[" * 100_000 + "]" * 100_000 + "}", id="nested 100k deep"),
    ],
)
def test_refused(payload: str) -> None:
    """What JSON or the format does not allow is a DecodeError, under the default names and under others."""
    with pytest.raises(DecodeError):
        decode(payload.encode())
    with pytest.raises(DecodeError):
        decode_named(payload.encode(), "ts", "value", "unit", "flag")


@pytest.mark.parametrize("payload", [b"\xff\xfe", b'{"ts": 1, "value": 1, "unit": "\xc3"}', b"\x00", b'{"value":\x00}'])
def test_bytes_that_are_no_text(payload: bytes) -> None:
    """Bytes that are not UTF-8, or are NUL, are refused."""
    with pytest.raises(DecodeError):
        decode(payload)


def test_last_of_double_keys_stands() -> None:
    """Of a key that stands twice the last is taken, as JSON readers do."""
    assert decode(b'{"value": 1, "ts": 1, "value": 2}').value == 2


def test_missing_parts_and_foreign_fields() -> None:
    """Time, unit and flag may be missing; fields that the feed does not name are passed over."""
    assert decode(b'{"value": -4.5, "quality": [1, {"a": null}]}') == Item(None, -4.5, None, None)
    assert decode(b'{"value": 3, "ts": null, "unit": null, "flag": null}') == Item(None, 3.0, None, None)
    assert decode(b'{"ts": 1, "value": 3, "unit": "mg/m\xc2\xb3", "flag": "Sd"}') == Item(1000, 3.0, "mg/m³", "Sd")


@pytest.mark.parametrize("number", ["9007199254740993", "1" + "0" * 300])
def test_large_integers_are_values(number: str) -> None:
    """An integer value of any length that a float can hold is taken as the nearest."""
    assert decode(f'{{"value": {number}}}'.encode()).value == float(number)


def test_other_names_and_paths() -> None:
    """A feed may name its fields otherwise; a dotted name steps into objects unless the whole name is a key."""
    payload = b'{"d": {"t": 1583035200, "v": 41.2, "u": "ppm"}, "q.f": "T"}'
    assert decode_named(payload, "d.t", "d.v", "d.u", "q.f") == Item(NOON, 41.2, "ppm", "T")
    assert decode_named(payload, "d.x", "d.v", "q.f.g", "x") == Item(None, 41.2, None, None)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_do_harm(payload: bytes) -> None:
    """Whatever arrives is an item or a DecodeError, in all three decoders."""
    for read in (decode, json_batch.decode, lambda data: decode_named(data, "a.b", "c", "d", "e")):
        with suppress(DecodeError):
            assert read(payload) is not None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["ts", "values", "point", "x"]), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["ts", "value", "values", "point", "unit", "flag", "flags"]), JSON))
def test_no_json_does_harm(tree: dict[str, Any]) -> None:
    """Whatever shape a message has, it is readings or a DecodeError, and every reading has a time that fits."""
    payload = json.dumps(tree).encode()
    for read in (decode, json_batch.decode):
        try:
            found = read(payload)
        except DecodeError:
            continue
        times = found.ts_ms if isinstance(found, Series) else [found.ts_ms]
        assert all(one is None or 0 <= one < 1 << 62 for one in times)


@pytest.mark.parametrize("moment", [float("nan"), float("inf"), -0.001, 1e30, 1 << 70])
def test_times_that_are_none(moment: float) -> None:
    """No number outside 1970 to 9999 is a time."""
    with pytest.raises(DecodeError):
        instant_ms(moment)


# Batches


def test_snapshot() -> None:
    """Many points at one time."""
    found = json_batch.decode(b'{"ts": "2020-03-01T12:00:00+08:00", "values": {"DA001.nox": 41.2, "DA001.o2": 3}}')
    assert found == Snapshot(NOON, {"DA001.nox": 41.2, "DA001.o2": 3.0}, [])


def test_one_bad_value_among_good() -> None:
    """A snapshot's good values are given even where a neighbour is none; the bad one is named."""
    found = json_batch.decode(b'{"ts": 1583035200, "values": {"a": 1, "b": "x", "c": null, "d": true, "e": 2.5}}')
    assert isinstance(found, Snapshot)
    assert (found.ts_ms, found.values) == (NOON, {"a": 1.0, "e": 2.5})
    assert [name for name, _ in found.faults] == ["b", "c", "d"]


def test_snapshot_without_time() -> None:
    """A snapshot may leave its time to its arrival."""
    assert json_batch.decode(b'{"values": {"a": 1}}') == Snapshot(None, {"a": 1.0}, [])


@pytest.mark.parametrize(
    "ts",
    [
        pytest.param([1583035200, 1583035260], id="seconds"),
        pytest.param([NOON, NOON + 60_000], id="milliseconds"),
        pytest.param(["2020-03-01T12:00:00+08:00", "2020-03-01T12:01:00+08:00"], id="ISO"),
        pytest.param([1583035200, NOON + 60_000], id="mixed"),
        pytest.param([1583035200.0, 1583035260.0], id="floats"),
    ],
)
def test_series(ts: list[Any]) -> None:
    """One point at many times, however its times are written."""
    body = {"point": "DA001.nox", "unit": "mg/m3", "ts": ts, "values": [41.2, 42], "flags": ["N", "T"]}
    found = json_batch.decode(json.dumps(body).encode())
    assert found == Series("DA001.nox", "mg/m3", [NOON, NOON + 60_000], [41.2, 42.0], ["N", "T"], [])


def test_series_with_bad_members() -> None:
    """Of a series only the members without number, time or flag are refused, each by its place."""
    body = {"point": "p", "ts": [1, None, "2020-03-01T12:00:00", 4, 5, 1e40], "values": [1, 2, 3, "4", 5, 6],
            "flags": ["N", "N", "N", "N", 7, "N"]}  # fmt: skip
    found = json_batch.decode(json.dumps(body).encode())
    assert isinstance(found, Series)
    assert (found.ts_ms, found.values, found.flags) == ([1000], [1.0], ["N"])
    assert [place for place, _ in found.faults] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"values": 3}, id="values is a number"),
        pytest.param({"ts": 1}, id="no values"),
        pytest.param({"point": 3, "ts": [1], "values": [1]}, id="point is a number"),
        pytest.param({"ts": [1], "values": [1]}, id="no point"),
        pytest.param({"point": "p", "ts": [1], "values": [1, 2]}, id="fewer times than values"),
        pytest.param({"point": "p", "ts": 1, "values": [1]}, id="one time for a list"),
        pytest.param({"point": "p", "ts": [1], "values": [1], "flags": []}, id="fewer flags than values"),
        pytest.param({"point": "p", "ts": [1], "values": [1], "flags": "N"}, id="flags is a text"),
        pytest.param({"point": "p", "ts": [1], "values": [1], "unit": 3}, id="unit is a number"),
        pytest.param({"ts": "noon", "values": {"a": 1}}, id="snapshot without a readable time"),
        pytest.param({"ts": 1e30, "values": {"a": 1}}, id="snapshot beyond all time"),
    ],
)
def test_batches_refused_as_a_whole(body: dict[str, Any]) -> None:
    """A batch whose parts do not fit together is refused as a whole."""
    with pytest.raises(DecodeError):
        json_batch.decode(json.dumps(body).encode())
