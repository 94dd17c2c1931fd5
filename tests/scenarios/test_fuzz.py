"""This module throws a hundred thousand bad payloads at the feed, good readings among them, and counts what became."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from replay import Replay

from plantmon.feed.check import LARGEST_PAYLOAD, Message
from plantmon.plant.load import load_plant
from plantmon.store.rejected import KEPT_BYTES, KEPT_PAYLOADS, KEPT_TOPICS
from simulators.plant import SimulatedPlant
from simulators.plantfile import plant_file

pytestmark = pytest.mark.timeout(120)

NOW_MS = 1_772_438_400_000
BATCH = "plant/cq-truck/batch"
SINGLE = "plant/cq-truck/DA001/nox"
BAD_COUNT = 100_000
FLOOD = 300_000
FLOOD_TOPICS = 5_000


@pytest.fixture
def replay(tmp_path: Path) -> Replay:
    """Give the feed of the example plant over a fresh store."""
    file = tmp_path / "plant.yaml"
    file.write_text(plant_file(SimulatedPlant()), encoding="utf-8")
    return Replay(tmp_path, load_plant(file), NOW_MS)


def good(number: int) -> tuple[str, bytes]:
    """Write a good reading of its own time; the number is its value."""
    return SINGLE, json.dumps({"ts": NOW_MS - number * 10, "value": number / 1000, "unit": "mg/m3"}).encode()


# Ways to spoil a message. What they make is never a good reading of the plant.


def cut(chance: random.Random) -> tuple[str, bytes]:
    """Cut a good message short."""
    topic, payload = good(chance.randrange(10**6))
    return topic, payload[: chance.randrange(len(payload))]


def noise(chance: random.Random) -> tuple[str, bytes]:
    """Make bytes that mean nothing, on a topic of ours."""
    return chance.choice((SINGLE, BATCH)), chance.randbytes(chance.randrange(200))


def brackets(chance: random.Random) -> tuple[str, bytes]:
    """Nest without end."""
    return chance.choice((SINGLE, BATCH)), chance.choice((b"[", b'{"a":')) * chance.choice((10, 5_000))


def nonsense_value(chance: random.Random) -> tuple[str, bytes]:
    """Make a reading whose value is no number."""
    value = chance.choice(("NaN", "Infinity", "-1e999", "null", '"41"', "true", "[1]", "{}", "1" + "0" * 400, "0x10"))
    return SINGLE, f'{{"ts": {NOW_MS}, "value": {value}}}'.encode()


def nonsense_time(chance: random.Random) -> tuple[str, bytes]:
    """Make a reading whose time is none, or lies beyond all times."""
    ts = chance.choice(("null", '"yesterday"', '"2026-03-02T08:00:00"', "-5", "1e300", "9" * 30, "true", "[]", '""',
                        '"2026-02-30T08:00:00Z"', str(NOW_MS * 3), "0"))  # fmt: skip
    return SINGLE, f'{{"ts": {ts}, "value": 1}}'.encode()


def stranger(chance: random.Random) -> tuple[str, bytes]:
    """Make a fine reading of a point nobody knows."""
    name = "".join(chance.choices(string.ascii_letters + "é'\"中", k=chance.randrange(1, 30)))
    return f"plant/cq-truck/DA00{chance.randrange(10)}/{name}x", good(1)[1]


def wrong_unit(chance: random.Random) -> tuple[str, bytes]:
    """Make a reading in a unit of another dimension, or in none."""
    unit = chance.choice(("kWh", "m/s", "", "mg", "\x00", "💧" * 50))
    return SINGLE, json.dumps({"ts": NOW_MS, "value": 1, "unit": unit}).encode()


def wrong_flag(chance: random.Random) -> tuple[str, bytes]:
    """Make a reading with a flag that does not exist."""
    return SINGLE, json.dumps({"ts": NOW_MS, "value": 1, "flag": chance.choice(("?", "N?", "\u0000"))}).encode()


def wrong_batch(chance: random.Random) -> tuple[str, bytes]:
    """Make a batch message of which nothing can be used; it is counted once."""
    body: dict[str, Any] = chance.choice(
        (
            {"ts": [NOW_MS], "values": [1, 2], "point": "DA001.nox"},
            {"ts": [NOW_MS], "values": [1], "point": "nobody"},
            {"ts": [NOW_MS], "values": ["x"], "point": "DA001.nox"},
            {"ts": [NOW_MS], "values": [1], "point": "DA001.nox", "unit": "kWh"},
            {"ts": [NOW_MS], "values": [1], "point": "DA001.nox", "flags": ["?"]},
            {"ts": NOW_MS, "values": {"nobody": 1}},
            {"ts": NOW_MS, "values": {"DA001.nox": "x"}},
            {"values": {"DA001.nox": 1}},
            {"ts": NOW_MS, "values": None},
        )
    )
    return BATCH, json.dumps(body).encode()


def mutated(chance: random.Random) -> tuple[str, bytes]:
    """Bend the key to a good message's value."""
    topic, payload = good(chance.randrange(10**6))
    return topic, payload.replace(b"value", bytes(chance.choices(range(128, 256), k=5)))


WAYS: tuple[Callable[[random.Random], tuple[str, bytes]], ...] = (
    cut, noise, brackets, nonsense_value, nonsense_time, stranger, wrong_unit, wrong_flag, wrong_batch, mutated,
)  # fmt: skip


def total_rejected(replay: Replay) -> int:
    """Count what was rejected, all reasons and topics."""
    with replay.store.readers.snapshot() as connection:
        return int(connection.execute("SELECT coalesce(sum(count), 0) FROM rejected").fetchone()[0])


def stored_values(replay: Replay) -> list[float]:
    """List the stored gauge readings' values."""
    with replay.store.readers.snapshot() as connection:
        return [value for (value,) in connection.execute("SELECT value FROM reading ORDER BY value")]


def test_a_hundred_thousand_bad_payloads_hide_no_good_reading(replay: Replay) -> None:
    """Among 100,000 bad messages every good reading is stored, and every bad one is rejected with a reason."""
    chance = random.Random(20261123)
    goods, pending, sent_bad = 0, [], 0
    for number in range(BAD_COUNT):
        topic, payload = WAYS[number % len(WAYS)](chance)
        pending.append(Message(topic, payload, NOW_MS))
        sent_bad += 1
        if number % 20 == 0:
            goods += 1
            pending.append(Message(*good(goods), NOW_MS))
        if len(pending) >= 1000:
            replay.take(pending)
            pending = []
    replay.take(pending)
    assert stored_values(replay) == [number / 1000 for number in range(1, goods + 1)]
    assert total_rejected(replay) == sent_bad
    with replay.store.readers.snapshot() as connection:
        reasons = {reason for (reason,) in connection.execute("SELECT DISTINCT reason FROM rejected")}
        empty = connection.execute("SELECT count(*) FROM rejected_payload WHERE detail = ''").fetchone()
        counts = dict(connection.execute("SELECT name, value FROM sequence"))
    assert {"undecodable", "unknown_point", "no_time", "future", "too_old", "wrong_unit"} <= reasons
    assert empty == (0,)
    assert counts["readings"] == goods
    assert counts["rejected"] == sent_bad


def test_a_huge_payload_is_refused_unread(replay: Replay) -> None:
    """A message of more than the largest size is rejected with its size, and only its beginning is kept."""
    huge = b'{"ts": 1, "value": ' + b"1" * LARGEST_PAYLOAD + b"}"
    replay.take([Message(SINGLE, huge, NOW_MS), Message(*good(1), NOW_MS)])
    with replay.store.readers.snapshot() as connection:
        [(detail, size, kept)] = connection.execute("SELECT detail, size, length(payload) FROM rejected_payload")
    assert str(len(huge)) in detail
    assert (size, kept) == (len(huge), KEPT_BYTES)
    assert stored_values(replay) == [0.001]


def test_a_flood_of_nonsense_does_not_fill_the_disk(replay: Replay, tmp_path: Path) -> None:
    """300,000 bad payloads of 1 kB on 5,000 topics are all counted and leave less than 100 MB, WAL and all."""
    chance = random.Random(1)
    parts = [chance.randbytes(1000) for _ in range(50)]
    for start in range(0, FLOOD, 2000):
        replay.take([
            Message(f"plant/cq-truck/DA001/x{number % FLOOD_TOPICS}", parts[number % 50], NOW_MS)
            for number in range(start, start + 2000)
        ])  # fmt: skip
    assert total_rejected(replay) == FLOOD
    with replay.store.readers.snapshot() as connection:
        [(rows,)] = connection.execute("SELECT count(*) FROM rejected")
        [(most,)] = connection.execute(
            "SELECT max(kept) FROM (SELECT count(*) AS kept FROM rejected_payload GROUP BY rejected)"
        )
    assert rows <= KEPT_TOPICS + 1
    assert most <= KEPT_PAYLOADS
    size = sum(path.stat().st_size for path in tmp_path.glob("plantmon.db*"))
    assert size < 100_000_000


def test_a_message_sent_again_is_one_reading(replay: Replay) -> None:
    """What is sent, less what is rejected, less what came again, is what is stored."""
    chance = random.Random(7)
    sent = [good(chance.randrange(1, 300)) for _ in range(2000)]
    replay.take([Message(*one, NOW_MS) for one in sent])
    with replay.store.readers.snapshot() as connection:
        counts = dict(connection.execute("SELECT name, value FROM sequence"))
    assert counts["readings"] == len(set(sent)) == len(stored_values(replay))
    assert counts["readings"] + counts["repeats"] + counts.get("rejected", 0) == len(sent)


LEAF = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from([NOW_MS, NOW_MS // 1000, "2026-03-02T08:00:00+08:00", "mg/m3", "N", "T", "DA001.nox", "E-MAIN"])
)  # fmt: skip
TREE = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)
BODY = st.dictionaries(
    st.sampled_from(["ts", "value", "values", "unit", "flag", "flags", "point"]),
    TREE | st.dictionaries(st.sampled_from(["DA001.nox", "E-MAIN", "nobody"]), LEAF, max_size=3),
    max_size=6,
)
TOPIC = st.sampled_from([SINGLE, BATCH, "plant/cq-truck/meter/E-MAIN", "elsewhere", "plant/cq-truck/DA001/nobody"])


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Replay:
    """Give one store for all examples: what one leaves, the next may meet."""
    folder = tmp_path_factory.mktemp("shapes")
    (folder / "plant.yaml").write_text(plant_file(SimulatedPlant()), encoding="utf-8")
    return Replay(folder, load_plant(folder / "plant.yaml"), NOW_MS)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(TOPIC, BODY), min_size=1, max_size=30))
def test_any_json_leaves_the_feed_standing(shared: Replay, messages: list[tuple[str, Any]]) -> None:
    """Whatever JSON comes, nothing fails, and a message without a reading, repeat or refusal has nothing to tell."""
    before = _counts(shared)
    sent = [Message(topic, json.dumps(body).encode(), NOW_MS) for topic, body in messages]
    batch = shared.pipeline.checker.check(sent)
    told = {batch.source[place] for place in range(len(batch.ts))}
    silent = [one for place, one in enumerate(sent) if place not in told]
    # An empty object or list of values is well-formed and says nothing; everything else unstored is refused.
    refused = {one.payload for one in batch.rejected}
    assert all(one.payload in refused or _says_nothing(one.payload) for one in silent)
    shared.take(sent)
    after = _counts(shared)
    gained = {name: after.get(name, 0) - before.get(name, 0) for name in ("readings", "repeats", "rejected")}
    assert sum(gained.values()) == len(batch.ts) + len(batch.rejected)


def _says_nothing(payload: bytes) -> bool:
    return json.loads(payload).get("values") in ({}, [])


def _counts(replay: Replay) -> dict[str, int]:
    with closing(replay.store.readers.connection().execute("SELECT name, value FROM sequence")) as rows:
        return dict(rows)
