"""This module proves what holds for every frame of HJ 212: what was built is read, what is broken is refused."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.feed.hj212_fuzz import CRCS, Example, attack, examples, framed, judge

from plantmon.errors import DecodeError
from plantmon.feed.decode.hj212 import CHINA, Kind, decode, readings_of
from plantmon.feed.decode.hj212_segment import Edition
from plantmon.tables.hj212 import codes
from plantmon.times import to_ms

CODES = sorted({text for code in codes() for text in (code.code, code.code_2005) if text})
SUFFIXES = ["Rtd", "Min", "Avg", "Max", "Cou", "ZsRtd", "ZsMin", "ZsAvg", "ZsMax"]
KINDS = {kind.value: kind for kind in Kind if kind is not Kind.OTHER}
EDITIONS = {0: Edition.OF_2005, 1: Edition.OF_2017, 2: Edition.OF_2025}

times = st.datetimes(datetime(1971, 1, 1), datetime(2099, 12, 31)).map(lambda moment: moment.replace(microsecond=0))
# Half of what all nines need, so that no converted value looks like one that could not be computed.
numbers = st.decimals(-99_000, 99_000, places=3).filter(lambda number: "999" not in f"{number}")
flags = st.none() | st.sampled_from(["N", "F", "M", "S", "D", "C", "T", "B", "P", "St", "Sd", "Md", "0", "3"])
devices = st.text("0123456789ABCDEFabcdef_", min_size=1, max_size=30)


@st.composite
def pollutants(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """Draw codes with their numbers as sent, a flag, and when they were sampled."""
    return {
        code: {
            "numbers": draw(st.dictionaries(st.sampled_from(SUFFIXES), numbers, min_size=1, max_size=5)),
            "flag": draw(flags),
            "sampled": draw(st.none() | times),
        }
        for code in draw(st.lists(st.sampled_from(CODES), min_size=1, max_size=12, unique=True))
    }


def _cp(moment: datetime, content: dict[str, dict[str, Any]], shuffle: random.Random) -> str:
    parts = [f"DataTime={moment:%Y%m%d%H%M%S}"]
    for code, said in content.items():
        values = [f"{code}-{suffix}={number}" for suffix, number in said["numbers"].items()]
        values += [f"{code}-Flag={said['flag']}"] if said["flag"] else []
        values += [f"{code}-SampleTime={said['sampled']:%Y%m%d%H%M%S}"] if said["sampled"] else []
        shuffle.shuffle(values)
        parts.append(",".join(values))
    shuffle.shuffle(parts)
    return ";".join(parts)


def _local_ms(moment: datetime) -> int:
    return to_ms(moment.replace(tzinfo=CHINA))


@settings(deadline=None)  # machines are shared
@given(
    st.sampled_from(sorted(KINDS)), st.integers(0, 11), devices, times, pollutants(), st.randoms(use_true_random=False),
    st.sampled_from(CRCS[:3]), st.sampled_from([b"", b"\r\n"]),
)  # fmt: skip
def test_what_was_built_is_read(
    cn: str,
    flag: int,
    mn: str,
    moment: datetime,
    content: dict[str, dict[str, Any]],
    shuffle: random.Random,
    crc: str,
    tail: bytes,
) -> None:
    """A frame of any fields, in any order, gives these fields back."""
    fields = [f"CN={cn}", f"Flag={flag}", f"MN={mn}", "ST=31", "PW=123456", "QN=20200301080000001"]
    fields += ["PNUM=2", "PNO=1"] if flag & 2 else []
    shuffle.shuffle(fields)
    decoded = decode(framed(f"{';'.join(fields)};CP=&&{_cp(moment, content, shuffle)}&&", crc, tail), crc=crc)
    (frame,) = decoded.frames
    assert not decoded.faults
    assert not frame.faults
    assert (frame.cn, frame.kind, frame.mn, frame.st, frame.crc_matched) == (cn, KINDS[cn], mn, "31", crc)
    assert (frame.edition, frame.needs_answer) == (EDITIONS[flag >> 2], bool(flag & 1))
    assert (frame.pnum, frame.pno) == ((2, 1) if flag & 2 else (None, None))
    assert frame.data_time_ms == _local_ms(moment)
    assert {item.code: item.values for item in frame.items} == {
        code: {suffix.lower(): float(number) for suffix, number in said["numbers"].items()}
        for code, said in content.items()
    }
    assert {item.code: item.flag for item in frame.items} == {code: said["flag"] for code, said in content.items()}


@settings(deadline=None)  # machines are shared
@given(times, pollutants(), st.randoms(use_true_random=False))
def test_readings_are_the_real_time_values(
    moment: datetime, content: dict[str, dict[str, Any]], shuffle: random.Random
) -> None:
    """Each real-time value is one reading, at its sample time where it has one."""
    (frame,) = decode(framed(f"CN=2011;Flag=4;CP=&&{_cp(moment, content, shuffle)}&&")).frames
    expected = {
        code: (float(said["numbers"]["Rtd"]), said["flag"], _local_ms(said["sampled"] or moment))
        for code, said in content.items()
        if "Rtd" in said["numbers"]
    }
    assert {reading.code: (reading.value, reading.flag, reading.ts_ms) for reading in readings_of(frame)} == expected


@settings(deadline=None)  # machines are shared
@given(st.lists(st.sampled_from(examples()), min_size=1, max_size=6), st.sampled_from([b"", b"\r\n"]))
def test_joined_frames_are_the_frames(chosen: list[Example], tail: bytes) -> None:
    """Frames in one payload decode as they do alone."""
    alone = [decode(example.frame).frames[0] for example in chosen]
    assert decode(b"".join(example.frame + tail for example in chosen)) == (alone, [])


@pytest.mark.parametrize("crc", CRCS)
@settings(deadline=None)  # machines are shared
@given(payload=st.binary(max_size=600))
def test_any_bytes(payload: bytes, crc: str) -> None:
    """Any bytes decode or raise DecodeError, nothing else."""
    judge(payload, crc=crc)


@settings(deadline=None)  # machines are shared
@given(segment=st.binary(max_size=300), stamp=st.sampled_from(["start", "end"]))
def test_any_segment(segment: bytes, stamp: str) -> None:
    """Any bytes in a sound frame decode or raise DecodeError, nothing else."""
    judge(framed(segment), stamp=stamp)


@settings(deadline=None)  # machines are shared
@given(cp=st.text(max_size=200), cn=st.sampled_from(sorted(KINDS)), flag=st.integers(0, 300))
def test_any_cp(cp: str, cn: str, flag: int) -> None:
    """Any text in a CP of a data frame leaves the frame's other parts whole."""
    judge(framed(f"CN={cn};Flag={flag};CP=&&DataTime=20200301080000;{cp};a21002-Rtd=1&&"))


@pytest.mark.parametrize("crc", ["hj212", "off"])
@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_truncation_at_each_byte(example: Example, crc: str) -> None:
    """A frame cut off anywhere is refused; without a check sum asked for, only the check sum may be missing."""
    whole = len(example.frame) if crc == "hj212" else len(example.frame) - 4
    for length in range(whole):
        with pytest.raises(DecodeError):
            decode(example.frame[:length], crc=crc)
    assert decode(example.frame[:whole], crc=crc).frames


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_truncated_frame_before_a_good_one(example: Example) -> None:
    """A frame cut off anywhere does not take the good one behind it along."""
    good = examples()[0].frame
    for length in range(0, len(example.frame), 7):
        frames = decode(example.frame[:length] + good).frames
        assert [frame.cn for frame in frames] == ["1062"]


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_changed_bytes_are_hardly_ever_taken(example: Example) -> None:
    """A changed byte passes the check sum about once in 256 times, not more."""
    draw, taken, tries = random.Random(1), 0, 300
    for _ in range(tries):
        place = draw.randrange(6, len(example.frame) - 4)
        other = (example.frame[place] + draw.randrange(1, 256)) % 256
        taken += judge(example.frame[:place] + bytes([other]) + example.frame[place + 1 :]) is not None
    assert taken <= tries // 30


@pytest.mark.parametrize("seed", range(20))
def test_broken_payloads(seed: int) -> None:
    """Broken, joined and forged frames never raise anything but DecodeError and give nothing unfit to store."""
    draw, sources = random.Random(seed), examples()
    assert {attack(draw, sources) for _ in range(100)} >= {"refused", "frames"}
