"""This module proves what becomes of HJ 212 frames in a plant: readings, figures of periods, refusals with reasons."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from builders import a_plant, a_point
from story import Story
from unit.feed.hj212_fuzz import examples, framed, payload_of

from plantmon.feed.check import Checker, Message
from plantmon.model.plant import FeedSpec, Hj212, Kind, Name, Outlet
from plantmon.model.reading import flag_letters
from plantmon.store import readings, rejected, values
from plantmon.store.reported import Reported, span
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS, to_ms

AIR, WATER, NOISE = "A12345678901234567890001", "W1234567890123", "N1234567890123"
NOX = a_point("DA001.nox", interval_ms=MINUTE_MS)
FLOW = a_point("DA001.flow", quantity="gas_flow", unit="m3/h", range_high=200_000.0)
RTO = a_point("DA001.e70101", quantity="temperature", unit="degC")
COLD = a_point("DA001.cold", quantity="temperature", unit="degC")
COD = a_point("DW001.cod", quantity="cod", unit="mg/L", interval_ms=HOUR_MS)
DRAIN = a_point("DW001.flow", quantity="water_flow", unit="m3/h")
CHROMIUM = a_point("DW001.cr6", quantity="hexavalent_chromium", unit="mg/L", interval_ms=HOUR_MS)
BAD_UNIT = a_point("DW001.ph", quantity="ph", unit="mg/L")
LEQ = a_point("N1.leq", quantity="sound_level", unit="dB", kind=Kind.ENERGY)


def feed(topic: str) -> FeedSpec:
    """Give a feed of frames."""
    return FeedSpec(topic, "hj212", 1, "ts", "value", "unit", "flag", False)


def outlet(id: str, kind: str, mn: str | None, points: list[str], device: Hj212 | None = None) -> Outlet:
    """Give an outlet with its device."""
    return Outlet(id, Name(id, id), kind, tuple(points), None, None, mn, device or Hj212())


POINTS = (NOX, FLOW, RTO, COLD, COD, DRAIN, CHROMIUM, BAD_UNIT, LEQ)
PLANT = a_plant(
    POINTS,
    (),
    feeds=(feed("hj212/{mn}"), feed("gw")),
    outlets={
        "DA001": outlet("DA001", "air", AIR, [NOX.id, FLOW.id, RTO.id, COLD.id]),
        "DW001": outlet("DW001", "water", WATER, [COD.id, DRAIN.id, CHROMIUM.id, BAD_UNIT.id], Hj212("off", "end")),
        "N1": outlet("N1", "noise", NOISE, [LEQ.id]),
    },
)


def at(text: str) -> int:
    """Give the instant of a local time of 14 digits."""
    return to_ms(datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=ZoneInfo("Asia/Shanghai")))


EIGHT = at("20260303080000")


def frame(cp: str, mn: str | None = AIR, cn: str = "2011", crc: str = "hj212", head: str = "") -> bytes:
    """Give a frame of eight o'clock unless the CP says otherwise."""
    device = f"MN={mn};" if mn is not None else ""
    timed = cp if "DataTime" in cp else f"DataTime=20260303080000;{cp}"
    return framed(f"QN=20260303080000123;ST=31;CN={cn};PW=123456;{device}Flag=4;{head}CP=&&{timed}&&", crc)


class Plant(Story):
    """A story that frames are told to."""

    def say(self, payload: bytes, topic: str = f"hj212/{AIR}") -> None:
        """Deliver one message at half past eight."""
        self._step(EIGHT + HOUR_MS // 2)
        self.deliver([Message(topic, payload, self.now_ms)])

    def stored(self) -> list[tuple[str, int, float, str]]:
        """Give what stands: point, time, value, flag."""
        with self.store.readers.snapshot() as connection:
            return [
                (name, row.ts_ms, row.value, flag_letters(row.flag))
                for name, number in sorted(self.pipeline.numbers.items())
                for row in readings.of_point(connection, number, 0, 1 << 60)
            ]

    def refused(self) -> list[tuple[str, str]]:
        """Give reason and detail of each refusal, in order."""
        with self.store.readers.snapshot() as connection:
            return [(row[0], row[5]) for row in rejected.payloads(connection, None, 1000)][::-1]

    def reported(self, point: str, level: str) -> list[Reported]:
        """Give what a device said of a point's periods."""
        with self.store.readers.snapshot() as connection:
            return list(span(connection, self.pipeline.numbers[point], level, 0, 1 << 60).values())

    def count(self, name: str) -> int:
        """Give one of the store's running counts."""
        with self.store.readers.snapshot() as connection:
            return values.number(connection, name)


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    """Give a plant with a stack, a waste-water station and a noise position."""
    told = Plant(tmp_path, PLANT)
    told.now_ms = EIGHT
    yield told
    told.close()


def test_items_become_readings(plant: Plant) -> None:
    """Each code leads to its quantity's point in the point's unit, with its flag; m3/s becomes m3/h."""
    plant.say(frame("a21002-Rtd=41.5,a21002-Flag=N;a00000-Rtd=2.5,a00000-Flag=M"))
    assert plant.stored() == [("DA001.flow", EIGHT, 9000.0, "M"), ("DA001.nox", EIGHT, 41.5, "N")]
    assert plant.refused() == []


def test_calculated_point(tmp_path: Path) -> None:
    """A real-time value of a calculated point is refused; the mean its device reports of an hour is kept to compare."""
    nmhc = a_point("DA001.nmhc", quantity="nmhc", formula="nox * 2", parts=(NOX.id,), range_low=None, range_high=None)
    outlets = {"DA001": outlet("DA001", "air", AIR, [NOX.id, nmhc.id])}
    told = Plant(tmp_path, replace(PLANT, points={NOX.id: NOX, nmhc.id: nmhc}, outlets=outlets))
    told.say(frame("a24088-Rtd=3.5,a24088-Flag=N;a21002-Rtd=41.5"))
    assert told.stored() == [("DA001.nox", EIGHT, 41.5, "N")]
    assert told.refused() == [("unknown_point", "a24088: DA001.nmhc is calculated and takes no readings")]
    told.say(frame("a24088-Avg=3.25", cn="2061"))
    assert [one.mean for one in told.reported("DA001.nmhc", "1h")] == [3.25]
    told.close()


@pytest.mark.parametrize("mn", [AIR, AIR.lower(), None])
def test_device_of_the_topic(plant: Plant, mn: str | None) -> None:
    """The topic names the device; the frame may name the same in any letters, or none."""
    plant.say(frame("03-Rtd=41.5", mn))
    assert plant.stored() == [("DA001.nox", EIGHT, 41.5, "N")]


def test_device_of_the_frame(plant: Plant) -> None:
    """Where the topic names no device the frames do, each its own."""
    plant.say(frame("a21002-Rtd=41.5") + frame("Leq-Rtd=61.5,Leq-Flag=N", NOISE), "gw")
    assert plant.stored() == [("DA001.nox", EIGHT, 41.5, "N"), ("N1.leq", EIGHT, 61.5, "N")]


def test_another_device_than_the_topic_says(plant: Plant) -> None:
    """A frame of another device than its topic names is refused, and so are frames of nobody and of strangers."""
    plant.say(frame("a21002-Rtd=41.5", NOISE))
    plant.say(frame("a21002-Rtd=41.5", None), "gw")
    plant.say(frame("a21002-Rtd=41.5", "X99999"), "gw")
    plant.say(frame("a21002-Rtd=41.5"), "hj212/X99999")
    stranger = ("unknown_point", "no outlet of the plant file has the device number 'X99999'")
    assert plant.stored() == []
    assert plant.refused() == [
        ("undecodable", f"MN {NOISE!r} is not {AIR!r}, the device of the topic"),
        ("undecodable", "neither the frame nor the topic says which device it is of"),
        stranger,
        stranger,
    ]


def test_devices_with_other_options_do_not_share_a_message(plant: Plant) -> None:
    """A frame is never read with another device's options."""
    plant.say(frame("a21002-Rtd=41.5") + frame("w01018-Rtd=30", WATER), "gw")
    assert [one[0] for one in plant.stored()] == ["DA001.nox"]
    [(reason, detail)] = plant.refused()
    assert (reason, "other hj212 options" in detail) == ("undecodable", True)


def test_options_of_the_outlet(plant: Plant) -> None:
    """Each outlet's check sum holds for its own device only."""
    plant.say(frame("w00000-Rtd=10", WATER, crc="modbus"), f"hj212/{WATER}")
    plant.say(frame("a21002-Rtd=41.5", crc="modbus"))
    assert plant.stored() == [("DW001.flow", EIGHT, 36.0, "N")]
    [(reason, detail)] = plant.refused()
    assert reason == "undecodable"
    assert "it is right as modbus" in detail


def test_repeated_result_counts_once(plant: Plant) -> None:
    """An analyser that repeats its last result gives one reading, at the time of its sample."""
    for minute in range(3):
        cp = f"DataTime=202603030810{minute:02d};w01018-SampleTime=20260303070000,w01018-Rtd=43.2,w01018-Flag=N"
        plant.say(frame(cp, WATER), f"hj212/{WATER}")
    assert plant.stored() == [("DW001.cod", EIGHT - HOUR_MS, 43.2, "N")]
    assert (plant.count("repeats"), plant.refused()) == (2, [])


def test_resent_frame_counts_once(plant: Plant) -> None:
    """A frame sent again for want of an answer changes nothing; another value for its time is a conflict."""
    plant.say(frame("a21002-Rtd=41.5"))
    plant.say(frame("a21002-Rtd=41.5"))
    plant.say(frame("a21002-Rtd=44"))
    assert plant.stored() == [("DA001.nox", EIGHT, 41.5, "N")]
    assert [reason for reason, _ in plant.refused()] == ["conflict"]
    assert plant.count("repeats") == 1


def test_parts_of_a_split_packet_are_stored_as_they_come(plant: Plant) -> None:
    """The second part without its first is stored."""
    plant.say(frame("a00000-Rtd=1", head="PNUM=2;PNO=2;"))
    assert [one[0] for one in plant.stored()] == ["DA001.flow"]


def test_what_has_no_point(plant: Plant) -> None:
    """A code without a point is one refusal, which names it; the others are stored."""
    plant.say(frame("a21026-Rtd=1;a21002-Rtd=41.5;x99999-Rtd=1;a01015-Rtd=4"))
    assert [one[0] for one in plant.stored()] == ["DA001.nox"]
    assert plant.refused() == [
        ("unknown_point", "a21026: DA001 has no point of so2"),
        ("unknown_point", "x99999: no known code; DA001 has no point of this name"),
        ("unknown_point", "a01015: cooler temperature; DA001 has no point of this name"),
    ]


def test_point_named_like_the_code(plant: Plant) -> None:
    """A maker's code leads to the point of that name, in the point's unit."""
    plant.say(frame("e70101-Rtd=812.5,e70101-Flag=N"))
    assert plant.stored() == [("DA001.e70101", EIGHT, 812.5, "N")]


def test_two_codes_for_one_point(plant: Plant) -> None:
    """Of two codes for one point that goes which is named like it, wherever it stands; else the first."""
    plant.say(frame("LA-Rtd=70;Leq-Rtd=61.5", NOISE), f"hj212/{NOISE}")
    plant.say(frame("a21002-Rtd=41.5;03-Rtd=50"))
    assert plant.stored() == [("DA001.nox", EIGHT, 41.5, "N"), ("N1.leq", EIGHT, 61.5, "N")]
    assert plant.refused() == [
        ("unknown_point", "LA: N1.leq takes Leq"),
        ("unknown_point", "03: DA001.nox takes a21002"),
    ]


def test_several_points_of_a_quantity(tmp_path: Path) -> None:
    """Of several points of one quantity none is guessed."""
    roof = a_point("N1.roof", quantity="sound_level", unit="dB", kind=Kind.ENERGY)
    gate = a_point("N1.gate", quantity="sound_level", unit="dB", kind=Kind.ENERGY)
    outlets = {"N1": outlet("N1", "noise", NOISE, [roof.id, gate.id])}
    plant = Plant(tmp_path, replace(PLANT, points={roof.id: roof, gate.id: gate}, outlets=outlets))
    plant.say(frame("Leq-Rtd=61.5", NOISE), f"hj212/{NOISE}")
    assert plant.refused() == [("unknown_point", "Leq: N1 has several points of sound_level and none of this name")]
    plant.close()


def test_units(plant: Plant) -> None:
    """The table's unit becomes the point's; one of another dimension is refused."""
    plant.say(frame("w20117-Rtd=50,w20117-Flag=N;w01001-Rtd=7", WATER), f"hj212/{WATER}")
    assert plant.stored() == [("DW001.cr6", EIGHT, 0.05, "N")]
    assert plant.refused() == [("wrong_unit", "w01001: unit 'pH' does not convert to mg/L")]


def test_bad_item_beside_good_ones(plant: Plant) -> None:
    """An item that cannot be read is refused alone, with its reason, once."""
    plant.say(frame("a21002-Rtd=abc,a21002-Flag=N;a00000-Rtd=1;e70101-Flag=D"))
    assert [one[0] for one in plant.stored()] == ["DA001.flow"]
    assert plant.refused() == [
        ("undecodable", "a21002: rtd: 'abc' is not a number"),
        ("undecodable", "e70101: there is no Rtd"),
    ]


def test_bad_frame_beside_a_good_one(plant: Plant) -> None:
    """A frame with a wrong check sum is refused, its neighbour stored."""
    bad = frame("a21002-Rtd=1").replace(b"a21002-Rtd=1", b"a21002-Rtd=2")
    plant.say(bad + frame("a00000-Rtd=1"))
    assert [one[0] for one in plant.stored()] == ["DA001.flow"]
    [(reason, detail)] = plant.refused()
    assert (reason, detail[:4]) == ("undecodable", "crc:")


@pytest.mark.parametrize(
    ("payload", "detail"),
    [
        pytest.param(b"{}", "not HJ 212", id="JSON"),
        pytest.param(b"", "the payload is empty", id="nothing"),
        pytest.param(frame("a21002-Rtd=1")[:-12], "length", id="cut off"),
        pytest.param(
            b"##0120ST=31;CN=2011;PW=123456;MN=" + AIR.encode() + b";Flag=9;CP=&&{0xE4,0x3E,0x11,0x02}&&B541",
            "encrypted",
            id="encrypted",
        ),
    ],
)
def test_refused_as_a_whole(plant: Plant, payload: bytes, detail: str) -> None:
    """A payload without a good frame is one refusal with its reason."""
    plant.say(payload)
    [(reason, said)] = plant.refused()
    assert (reason, detail in said) == ("undecodable", True)


def test_frames_without_measurements_are_counted(plant: Plant) -> None:
    """Answers, heartbeats and states are neither stored nor refused, but counted."""
    for cn, cp in (("9014", "x=1"), ("9015", "x=1"), ("2021", "SB1-RS=1")):
        plant.say(frame(cp, cn=cn))
    assert (plant.stored(), plant.refused(), plant.count("passed")) == ([], [], 3)


def test_hour_data_is_kept_beside(plant: Plant) -> None:
    """An hour's mean, ends, amount and converted values are kept as reported; no reading is made of them."""
    cp = (
        "a21002-Min=30,a21002-Avg=41.5,a21002-Max=60,a21002-ZsAvg=45,a21002-ZsMin=33,a21002-ZsMax=66,a21002-Cou=1.2,"
        "a21002-Flag=N;a00000-Avg=2,a00000-Cou=7200,a00000-Flag=M"
    )
    plant.say(frame(cp, cn="2061"))
    numbers, arrival = plant.pipeline.numbers, EIGHT + HOUR_MS // 2
    assert plant.stored() == []
    assert plant.reported("DA001.nox", "1h") == [
        Reported(numbers["DA001.nox"], EIGHT, "1h", 41.5, 30.0, 60.0, 45.0, 33.0, 66.0, 1.2, None, "kg", 0, arrival)
    ]
    [flow] = plant.reported("DA001.flow", "1h")
    assert (flow.mean, flow.amount, flow.amount_unit, flag_letters(flow.flag)) == (7200.0, 7200.0, "m3", "M")


@pytest.mark.parametrize(
    ("cn", "stamped", "level", "start"),
    [
        ("2051", "20260303081000", "10min", EIGHT),
        ("2061", "20260303080000", "1h", EIGHT - HOUR_MS),
        ("2031", "20260303000000", "1d", at("20260302000000")),
    ],
)
def test_periods_stamped_at_their_end(plant: Plant, cn: str, stamped: str, level: str, start: int) -> None:
    """A device that stamps the end has its figures where they belong."""
    plant.say(frame(f"DataTime={stamped};w01018-Avg=30", WATER, cn), f"hj212/{WATER}")
    assert [one.start for one in plant.reported("DW001.cod", level)] == [start]


def test_first_figures_stand(plant: Plant) -> None:
    """Figures that come again are a repeat, others for the same period a conflict that tells both."""
    for mean in ("41.5", "41.5", "50"):
        plant.say(frame(f"a21002-Avg={mean},a21002-Max=60", cn="2061"))
    assert [one.mean for one in plant.reported("DA001.nox", "1h")] == [41.5]
    assert plant.count("repeats") == 1
    assert plant.refused() == [
        ("conflict", "1h of 2026-03-03 08:00:00, mean 50, maximum 60, against stored mean 41.5, maximum 60")
    ]


@pytest.mark.parametrize(
    ("stamped", "reason"), [("20260303083501", "future"), ("20260126000000", "too_old"), ("20260303083500", None)]
)
def test_figures_out_of_time(plant: Plant, stamped: str, reason: str | None) -> None:
    """Figures in the future or beyond the lateness are refused like readings."""
    plant.say(frame(f"DataTime={stamped};a21002-Avg=1", cn="2061"))
    assert [one[0] for one in plant.refused()] == ([] if reason is None else [reason])


def test_figures_that_say_nothing(plant: Plant) -> None:
    """A period's item with none of the figures is refused with its code."""
    plant.say(frame("a21002-Flag=D", cn="2061"))
    assert plant.refused() == [("undecodable", "a21002: there is neither Avg, Min, Max nor Cou")]


def test_noise_of_a_day(plant: Plant) -> None:
    """What a noise monitor sends as `Data` is the mean."""
    plant.say(frame("DataTime=20260302000000;Leq-Data=58.2,Leq-Flag=N", NOISE, "2031"), f"hj212/{NOISE}")
    assert [(one.start, one.mean) for one in plant.reported("N1.leq", "1d")] == [(at("20260303000000") - DAY_MS, 58.2)]


def test_anything_may_come() -> None:
    """Broken payloads end in finite readings of known points, in figures of periods, or in refusals."""
    draw, sources = random.Random(212), examples()
    numbers = {name: number for number, name in enumerate(PLANT.points, 1)}
    checker, fates = Checker(PLANT, numbers), set()
    swapped = [source._replace(frame=source.frame.replace(b"MN=", f"MN={AIR};X=".encode())) for source in sources]
    for turn in range(3000):
        payload = payload_of(draw, swapped if turn % 2 else sources)
        batch = checker.check([Message(draw.choice(["gw", f"hj212/{AIR}", f"hj212/{WATER}"]), payload, EIGHT)])
        assert all(math.isfinite(value) for value in batch.value)
        assert set(batch.point) <= set(numbers.values())
        assert len(batch.ts) == len(batch.point) == len(batch.value) == len(batch.flag) == len(batch.source)
        assert not any("not understood" in one.detail for one in batch.rejected), payload
        assert batch.ts or batch.reported or batch.rejected or batch.passed or b"Rtd" not in payload
        fates |= {bool(batch.ts) and "readings", bool(batch.reported) and "reported", bool(batch.passed) and "passed"}
    assert {"readings", "passed"} <= fates
