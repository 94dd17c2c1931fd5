"""This module proves how frames of HJ 212 are decoded: worked examples, what is borne with, what is refused and why."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from unit.feed.hj212_fuzz import Example, check_sum, examples, framed

from plantmon.errors import DecodeError
from plantmon.feed.decode.hj212 import CHINA, Decoded, Frame, Kind, MeasuredAt, decode, readings_of
from plantmon.feed.decode.hj212_segment import Edition, Reason
from plantmon.times import HOUR_MS, MINUTE_MS, to_ms

FRAMES = {example.name: example.frame for example in examples()}
HEAD = "QN=20200301080000001;ST=31;CN=2011;PW=123456;MN=A12345678901234567890001;Flag=5;CP=&&"
TIME = "DataTime=20200301080000;"
NOX = "a21002-Rtd=41.2,a21002-Flag=N"


def at(text: str, zone: ZoneInfo = CHINA) -> int:
    """Give the instant of a local time."""
    return to_ms(datetime.fromisoformat(text).replace(tzinfo=zone))


def one(segment: str, **habits: str) -> Frame:
    """Decode the one frame of a segment."""
    (frame,) = decode(framed(segment), **habits).frames  # type: ignore[arg-type]
    return frame


def with_cp(cp: str, head: str = HEAD, **habits: str) -> Frame:
    """Decode a frame with this CP."""
    return one(f"{head}{cp}&&", **habits)


def refusal(payload: bytes, **habits: str) -> str:
    """Give why a payload is refused."""
    with pytest.raises(DecodeError) as refused:
        decode(payload, **habits)  # type: ignore[arg-type]
    return str(refused.value)


# Worked examples


def test_appendix_a() -> None:
    """The standard's own example is a parameter request of 2017 that wants an answer; its password is not kept."""
    (frame,) = decode(FRAMES["standard_appendix_a"] + b"\r\n").frames
    assert frame == Frame(
        qn="20160801085857223", st="32", cn="1062", mn="010000A8900016F000169DC0", edition=Edition.OF_2017,
        needs_answer=True, is_resent=False, pnum=None, pno=None, crc_matched="hj212", kind=Kind.OTHER,
        data_time_ms=None, items=(), faults=(),
    )  # fmt: skip
    assert "100000" not in repr(frame)


def test_sample_of_2025() -> None:
    """Flag 9 is the edition of 2025 with an answer wanted; an empty CP is no fault."""
    (frame,) = decode(FRAMES["standard_2025_request"]).frames
    assert (frame.edition, frame.needs_answer, frame.cn, frame.kind) == (Edition.OF_2025, True, "1011", Kind.OTHER)


def test_frame_of_2005() -> None:
    """No QN, no Flag, a time of 17 digits, a value without its flag: all is there."""
    (frame,) = decode(FRAMES["codes_of_2005_time_of_17_digits"]).frames
    assert (frame.qn, frame.edition, frame.needs_answer) == (None, Edition.OF_2005, False)
    assert frame.data_time_ms == at("2016-08-24 00:38:17")
    assert [(r.code, r.quantity, r.value, r.unit, r.flag) for r in readings_of(frame)] == [
        ("B01", "water_flow", 36.91, "L/s", None),
        ("011", "cod", 231.0, "mg/L", "N"),
        ("060", "ammonia_nitrogen", 1.803, "mg/L", "N"),
    ]


def test_acknowledgement() -> None:
    """A 9014 is passed over, its CN kept."""
    (frame,) = decode(FRAMES["acknowledgement"]).frames
    assert (frame.cn, frame.st, frame.kind, frame.needs_answer) == ("9014", "91", Kind.OTHER, False)


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_frames_of_devices(example: Example) -> None:
    """Frames that devices sent decode whole, with tail or without."""
    bare = decode(example.frame, crc=example.crc)
    assert not bare.faults
    assert len(bare.frames) == 1
    assert decode(example.frame + b"\r\n", crc=example.crc) == bare


def test_hour_data_of_a_device() -> None:
    """Hour data carry amount, minimum, mean, maximum; the gauge pressure is negative; the time is the hour's start."""
    (frame,) = decode(FRAMES["hour_data_of_a_voc_stack"]).frames
    items = {item.code: item for item in frame.items}
    assert (frame.kind, frame.data_time_ms) == (Kind.HOUR, at("2024-01-22 17:00:00"))
    assert items["a24088"].values == {"cou": 0.018, "min": 0.665, "avg": 0.933, "max": 1.418}
    assert items["a01013"].values["min"] == -0.041
    assert readings_of(frame) == []


def test_last_result_repeated() -> None:
    """An analyser sends at 13:10 what it measured at 11:03: that is when it was measured."""
    (frame,) = decode(FRAMES["last_result_repeated"]).frames
    readings = {reading.code: reading for reading in readings_of(frame)}
    assert readings["w01018"].ts_ms == at("2024-01-23 11:03:06")
    assert readings["w01018"].measured_at is MeasuredAt.SAMPLE_TIME
    assert readings["w01001"].ts_ms == at("2024-01-23 13:10:00")
    assert readings["w01001"].measured_at is MeasuredAt.DATA_TIME


def test_sample_time_equal_to_data_time() -> None:
    """A SampleTime that is the DataTime adds nothing."""
    (reading,) = readings_of(with_cp(f"{TIME}w01018-SampleTime=20200301080000,w01018-Rtd=30,w01018-Flag=N"))
    assert (reading.ts_ms, reading.measured_at) == (at("2020-03-01 08:00:00"), MeasuredAt.DATA_TIME)


def test_value_given_twice() -> None:
    """A device sends the flow and then its total under one name: the first stands, the second is a fault."""
    (frame,) = decode(FRAMES["minute_data_mean_twice"]).frames
    flow = next(item for item in frame.items if item.code == "w00000")
    assert flow.values == {"cou": 237.91, "avg": 66.09, "min": 392.51, "max": 403.98}
    assert [fault.code for fault in frame.faults] == ["w00000"] * 3


def test_converted_values_of_a_device() -> None:
    """Measured and converted values are kept apart; a reading is the measured one."""
    frame = with_cp(f"{TIME}a21002-Rtd=41.2,a21002-ZsRtd=55.5,a21002-Flag=N")
    assert frame.items[0].values == {"rtd": 41.2, "zsrtd": 55.5}
    assert [reading.value for reading in readings_of(frame)] == [41.2]


# What is borne with

TOLERATED = {
    "2017": HEAD + TIME + NOX + "&&",
    "order of fields": f"MN=A12345678901234567890001;CP=&&{TIME}{NOX}&&;Flag=5;CN=2011;QN=20200301080000001;ST=31",
    "capital FLAG": (HEAD + TIME + NOX + "&&").replace("Flag=5", "FLAG=5"),
    "small names": (HEAD + TIME + NOX + "&&").replace("CN=", "cn=").replace("CP=", "cp=").replace("MN=", "mn="),
    "stray comma in the head": (HEAD + TIME + NOX + "&&").replace(";MN", ";,MN"),
    "blanks in the head": (HEAD + TIME + NOX + "&&").replace("; ", ";").replace(";CN=2011", " ; CN = 2011 "),
    "blanks at CP": (HEAD + TIME + NOX + "&&").replace("CP=&&", "CP = &&"),
    "semicolon at the end": HEAD + TIME + NOX + ";&&",
    "comma and semicolon at the end": HEAD + TIME + NOX + ",;&&",
    "blanks in the CP": HEAD + " DataTime = 20200301080000 ; a21002-Rtd = 41.2 , a21002-Flag = N &&",
    "empty value": HEAD + TIME + "a21002-SampleTime=," + NOX + ",a21002-ZsRtd=&&",
    "flag behind a semicolon": HEAD + TIME + "a21002-Rtd=41.2;a21002-Flag=N&&",
    "time at the end": HEAD + NOX + ";" + TIME + "&&",
    "time of 17 digits": HEAD + "DataTime=20200301080000000;" + NOX + "&&",
    "suffixes in small letters": HEAD + TIME + "a21002-rtd=41.2,a21002-FLAG=N&&",
    "number with sign and exponent": HEAD + TIME + "a21002-Rtd=+4.12E1,a21002-Flag=N&&",
    "no password": (HEAD + TIME + NOX + "&&").replace("PW=123456;", ""),
    "long password": (HEAD + TIME + NOX + "&&").replace("PW=123456", "PW=123456789012345678901234"),
    "equal value twice": HEAD + TIME + NOX + "," + NOX + "&&",
}


@pytest.mark.parametrize("segment", TOLERATED.values(), ids=TOLERATED)
def test_borne_with(segment: str) -> None:
    """However a device writes it, the same frame and the same reading come out, without a fault."""
    assert one(segment) == with_cp(TIME + NOX)
    (reading,) = readings_of(one(segment))
    assert reading == ("a21002", "nox", at("2020-03-01 08:00:00"), 41.2, "N", "mg/m3", MeasuredAt.DATA_TIME)


@pytest.mark.parametrize(
    ("mutate", "name"),
    [(lambda text: text + b"\r\n", "CR LF"), (lambda text: text, "none"), (lambda text: text + b"\n", "LF"),
     (lambda text: text + b"\0\0", "padding"), (lambda text: b"\r\n " + text + b" \r\n\r\n", "blanks around"),
     (lambda text: text[:-4] + text[-4:].lower(), "small letters in the check sum")],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_tails(mutate, name: str) -> None:  # type: ignore[no-untyped-def]
    """The tail may be missing or another; the check sum may be in small letters."""
    plain = framed(HEAD + TIME + NOX + "&&", tail=b"")
    assert decode(mutate(plain)) == decode(plain)


def test_frames_back_to_back() -> None:
    """Frames without tail between them are all given, in order."""
    frames = [FRAMES[name] for name in ("no_qn_no_flag", "acknowledgement", "voc_stack_negative_pressure")]
    decoded = decode(b"".join(frames))
    assert [frame.cn for frame in decoded.frames] == ["2011", "9014", "2011"]
    assert not decoded.faults


def test_flag_of_2005_with_codes_of_2017() -> None:
    """Flag=0 names the edition of 2005; the codes are read all the same."""
    frame = one((HEAD + TIME + NOX + "&&").replace("Flag=5", "Flag=0"))
    assert frame.edition is Edition.OF_2005
    assert [reading.quantity for reading in readings_of(frame)] == ["nox"]


def test_water_code_in_a_frame_of_air() -> None:
    """ST does not say what a code means: COD inside ST 31 is COD."""
    assert [reading.quantity for reading in readings_of(with_cp(TIME + "w01018-Rtd=30,w01018-Flag=N"))] == ["cod"]


def test_longer_than_the_standard_allows() -> None:
    """Segments beyond 1024 bytes are read, up to the 9999 that the length can say."""
    texts = ";".join(f"a{number:05d}-Rtd=1.0,a{number:05d}-Flag=N" for number in range(300))
    segment = f"{HEAD}{TIME}{texts}"
    segment = segment[:9997].rpartition(";")[0]
    segment += ";" * (9997 - len(segment)) + "&&"
    assert len(segment) == 9999
    assert len(readings_of(one(segment))) > 250


def test_chinese_text() -> None:
    """Chinese text is UTF-8, its length counted in bytes; text is kept beside the numbers."""
    frame = with_cp(f"{TIME}{NOX};i12001-Info=烟气分析仪")
    assert [item.texts for item in frame.items] == [{}, {"info": "烟气分析仪"}]


def test_marks_inside_a_text() -> None:
    """The CP ends at its last &&, not at one inside a text."""
    frame = with_cp(f"{TIME}i12001-Info=a&&b;{NOX}")
    assert [item.code for item in frame.items] == ["i12001", "a21002"]


def test_text_in_another_encoding() -> None:
    """Text that is no UTF-8 spoils only itself."""
    segment = f"{HEAD}{TIME}{NOX};i12001-Info=".encode() + "烟气".encode("gbk") + b"&&"
    (frame,) = decode(framed(segment)).frames
    assert [reading.value for reading in readings_of(frame)] == [41.2]


@pytest.mark.parametrize("place", ["head", "cp"])
def test_packet_numbers(place: str) -> None:
    """PNUM and PNO stand before the CP or, with some devices, inside it."""
    numbers = "PNUM=3;PNO=2;"
    head = HEAD.replace("Flag=5;", "Flag=7;" + (numbers if place == "head" else ""))
    frame = with_cp((numbers if place == "cp" else "") + TIME + NOX, head)
    assert (frame.pnum, frame.pno, frame.needs_answer) == (3, 2, True)
    assert not frame.faults


def test_split_packet() -> None:
    """Each part of a split packet, with its own QN, is a frame of its own with the same time; one alone is enough."""
    parts = [
        framed(f"QN=2020030108000053{n};ST=31;CN=2051;PW=1;MN=A;Flag=7;PNUM=2;PNO={n};CP=&&{TIME}a2100{n}-Avg={n}&&")
        for n in (1, 2)
    ]
    both = decode(b"".join(parts)).frames
    assert [(frame.pno, frame.pnum, frame.items[0].code) for frame in both] == [(1, 2, "a21001"), (2, 2, "a21002")]
    assert both[0].data_time_ms == both[1].data_time_ms
    assert decode(parts[1]).frames == both[1:]


def test_resent_frame() -> None:
    """RF=1 marks a frame sent again (2025); without it a frame is live."""
    assert with_cp(TIME + NOX, HEAD.replace("Flag=5", "Flag=9;RF=1")).is_resent
    assert not with_cp(TIME + NOX, HEAD.replace("Flag=5", "Flag=9")).is_resent


@pytest.mark.parametrize(
    ("flag", "edition", "answer"),
    [("0", "2005", False), ("1", "2005", True), ("2", "2005", False), ("4", "2017", False), ("5", "2017", True),
     ("6", "2017", False), ("7", "2017", True), ("8", "2025", False), ("9", "2025", True), ("10", "2025", False),
     ("11", "2025", True), ("12", None, False), ("253", None, True)],
)  # fmt: skip
def test_flag_bits(flag: str, edition: str | None, answer: bool) -> None:
    """Bits 2 to 7 are the edition, bit 0 asks for an answer; an edition to come is not taken for one of today."""
    frame = with_cp(TIME + NOX, HEAD.replace("Flag=5", f"Flag={flag}"))
    assert (frame.edition, frame.needs_answer) == (edition, answer)
    assert len(readings_of(frame)) == 1


@pytest.mark.parametrize(
    "text", ["9999.99", "-9999.99", "99999.99", "999.9", "999.999", "9999", "-99999", "99999.9999"]
)
def test_not_computable(text: str) -> None:
    """2025: a converted value of all nines is one the device could not compute, not a concentration."""
    cp = f"{TIME}a21002-Rtd=41.2,a21002-ZsRtd={text},a21002-Flag=N"
    item = with_cp(cp, HEAD.replace("Flag=5", "Flag=9")).items[0]
    assert (item.values, item.not_computable) == ({"rtd": 41.2}, ("zsrtd",))
    earlier = with_cp(cp).items[0]
    assert (earlier.values["zsrtd"], earlier.not_computable) == (float(text), ())


@pytest.mark.parametrize("text", ["99.99", "999", "9.99", "9998.99", "99999.1", "0.9999"])
def test_computable(text: str) -> None:
    """2025: other numbers with nines, and measured ones of all nines, are values."""
    head = HEAD.replace("Flag=5", "Flag=9")
    item = with_cp(f"{TIME}a21002-Rtd=9999.99,a21002-ZsRtd={text}", head).items[0]
    assert item.values == {"rtd": 9999.99, "zsrtd": float(text)}


# Faults of single values


@pytest.mark.parametrize(
    "text", ["abc", "nan", "inf", "-inf", "1e999", "--", "1_000", "12.3mg", "<0.5", "null", "0x10", "1.2.3", "١", "-"]
)
def test_value_that_is_no_number(text: str) -> None:
    """One value that is no number is a fault with its code; its neighbours stand."""
    frame = with_cp(f"{TIME}a21026-Rtd={text},a21026-Flag=N;{NOX}")
    assert [reading.code for reading in readings_of(frame)] == ["a21002"]
    assert [(fault.code, "is not a number" in fault.what) for fault in frame.faults] == [("a21026", True)]


@pytest.mark.parametrize("flag", ["N N", "toolong", "正常", "?", "Nw20144-Rtd=10"])
def test_flag_that_is_none(flag: str) -> None:
    """A value whose flag cannot be read must not pass for a normal one."""
    frame = with_cp(f"{TIME}a21026-Rtd=1,a21026-Flag={flag};{NOX}")
    assert [reading.code for reading in readings_of(frame)] == ["a21002"]
    assert [fault.code for fault in frame.faults] == ["a21026"]


@pytest.mark.parametrize("text", ["0", "20200230000000", "2020030108", "yesterday", "00000000000000"])
def test_sample_time_that_is_none(text: str) -> None:
    """A value measured nobody knows when is not taken for one measured now."""
    frame = with_cp(f"{TIME}w01018-Rtd=1,w01018-SampleTime={text};{NOX}")
    assert [reading.code for reading in readings_of(frame)] == ["a21002"]
    assert [fault.code for fault in frame.faults] == ["w01018"]


@pytest.mark.parametrize(("part", "code"), [("rubbish", ""), ("-Rtd=1", ""), ("a b-Rtd=1", "a b"), ("烟-Rtd=1", "烟")])
def test_part_without_code(part: str, code: str) -> None:
    """What is no code with a value is a fault, the rest is kept."""
    frame = with_cp(f"{TIME}{part};{NOX}")
    assert [fault.code for fault in frame.faults] == [code]
    assert len(readings_of(frame)) == 1


@pytest.mark.parametrize("field", ["Flag", "PNUM", "PNO"])
def test_field_that_is_no_number(field: str) -> None:
    """A field of the head that should be a number is a fault; the values stand."""
    frame = with_cp(TIME + NOX, HEAD.replace("Flag=5", f"{field}=x"))
    assert [fault.code for fault in frame.faults] == [field]
    assert len(readings_of(frame)) == 1


def test_missing_value() -> None:
    """A code without its value gives no reading and never 0."""
    frame = with_cp(TIME + "a21026-Rtd=,a21026-Flag=N")
    assert frame.items[0].values == {}
    assert readings_of(frame) == []


def test_placeholders_keep_their_flag() -> None:
    """A zero flagged B or D is given with its letter: it is evidence, not a measurement."""
    readings = readings_of(with_cp(TIME + "a21026-Rtd=0.00,a21026-Flag=B;a21002-Rtd=0,a21002-Flag=D;a01013-Rtd=-99"))
    assert [(reading.value, reading.flag) for reading in readings] == [(0.0, "B"), (0.0, "D"), (-99.0, None)]


# Time


@pytest.mark.parametrize(
    ("cn", "stamp", "expected"),
    [("2011", "end", "2020-03-01 08:00:00"), ("2021", "end", "2020-03-01 08:00:00"),
     ("2051", "start", "2020-03-01 08:00:00"), ("2051", "end", "2020-03-01 07:50:00"),
     ("2061", "start", "2020-03-01 08:00:00"), ("2061", "end", "2020-03-01 07:00:00"),
     ("2031", "start", "2020-03-01 08:00:00"), ("2031", "end", "2020-02-29 00:00:00")],
)  # fmt: skip
def test_stamp(cn: str, stamp: str, expected: str) -> None:
    """A period is known by its start; real-time data and states by their moment, whatever the device stamps."""
    frame = with_cp(TIME + "a21002-Avg=1", HEAD.replace("2011", cn), stamp=stamp)
    assert frame.data_time_ms == at(expected)


@pytest.mark.parametrize(
    ("cn", "stamped", "expected"),
    [("2031", "20200302000000", "2020-03-01"), ("2031", "20200301235959", "2020-03-01"),
     ("2031", "20200302003000", "2020-03-01"), ("2061", "20200301075959", "2020-03-01 07:00:00"),
     ("2061", "20200301080003", "2020-03-01 07:00:00"), ("2051", "20200301132000", "2020-03-01 13:10:00"),
     ("2051", "20200301132004", "2020-03-01 13:10:00"), ("2051", "20200301131959", "2020-03-01 13:10:00")],
)  # fmt: skip
def test_end_stamped_a_little_off(cn: str, stamped: str, expected: str) -> None:
    """An end stamped seconds early or late still names its period."""
    frame = with_cp(f"DataTime={stamped};a21002-Avg=1", HEAD.replace("2011", cn), stamp="end")
    assert frame.data_time_ms == at(expected)


def test_length_of_minute_data() -> None:
    """The interval of minute data is the device's own; ten minutes unless said otherwise."""
    payload = framed(HEAD.replace("2011", "2051") + TIME + "a21002-Avg=1&&")
    starts = [decode(payload, stamp="end", minute_ms=n * MINUTE_MS).frames[0].data_time_ms for n in (1, 5, 10, 30)]
    assert starts == [at("2020-03-01 08:00:00") - n * MINUTE_MS for n in (1, 5, 10, 30)]


def test_zone() -> None:
    """Times are local to the plant."""
    payload = framed(HEAD + TIME + NOX + "&&")
    (abroad,) = decode(payload, zone=ZoneInfo("Europe/Berlin")).frames
    assert abroad.data_time_ms == at("2020-03-01 08:00:00") + 7 * HOUR_MS


def test_end_of_a_day_of_23_hours() -> None:
    """A day that summer time made short begins at its own midnight."""
    berlin = ZoneInfo("Europe/Berlin")
    payload = framed(HEAD.replace("2011", "2031") + "DataTime=20200330000000;a21002-Avg=1&&")
    (frame,) = decode(payload, stamp="end", zone=berlin).frames
    assert frame.data_time_ms == at("2020-03-29", berlin)


def test_milliseconds() -> None:
    """The milliseconds of a time of 17 digits count."""
    assert with_cp("DataTime=20200301080000250;" + NOX).data_time_ms == at("2020-03-01 08:00:00") + 250


@pytest.mark.parametrize("cp", ["", "BeginTime=20200301080000;EndTime=20200301090000"])
@pytest.mark.parametrize("cn", ["2011", "2051", "2061", "2031", "2021"])
def test_request_for_data(cn: str, cp: str) -> None:
    """A host asks for data with the same CN: no values and no time is a request, not a fault."""
    frame = with_cp(cp, HEAD.replace("2011", cn))
    assert (frame.kind, frame.cn, frame.items) == (Kind.OTHER, cn, ())


@pytest.mark.parametrize("cn", ["2051", "2061", "2031", "2021"])
def test_real_time_suffix_in_other_data(cn: str) -> None:
    """A device writes -Rtd into minute data too: that is kept, but is no reading of the moment."""
    frame = with_cp(TIME + NOX, HEAD.replace("2011", cn))
    assert frame.items[0].values == {"rtd": 41.2}
    assert readings_of(frame) == []


def test_units_of_the_plant() -> None:
    """A unit of the plant file stands before the table's; a code in no table has none of its own."""
    frame = with_cp(f"{TIME}{NOX};a00000-Rtd=3600;a99999-Rtd=1")
    units = [(reading.unit, reading.quantity) for reading in readings_of(frame, {"a00000": "m3/h"})]
    assert units == [("mg/m3", "nox"), ("m3/h", "gas_flow"), (None, None)]


# What is refused

GOOD = framed(HEAD + TIME + NOX + "&&")
TEXT = HEAD + TIME + NOX + "&&"
HEX_CIPHER = "{0xE4,0x3E,0x11,0x90,0x07,0xA1,0x20,0xFF,0x3C,0x55,0x60,0x71,0x82,0x93,0xA4,0xB5}g=N"
RAW_CIPHER = bytes(range(140, 172)) + b"g=N"


def cipher(content: bytes, cn: str = "2011", length: int | None = None) -> bytes:
    """Frame a cipher as 2025 does: the check sum is that of the plain text, so not of what is sent."""
    segment = HEAD.replace("2011", cn).replace("Flag=5", "Flag=9").encode() + content + b"&&"
    return b"##%04d%sB541\r\n" % (len(segment) if length is None else length, segment)


REFUSED = {
    "empty": (b"", Reason.NOT_HJ212, "empty"),
    "blank": (b" \r\n\0", Reason.NOT_HJ212, "empty"),
    "json": (b'{"ts": 1583020800, "value": 41.2}', Reason.NOT_HJ212, "no frame"),
    "head without length": (b"##QN=20200301080000001", Reason.NOT_HJ212, "no frame"),
    "length too long": (b"##%04d" % (len(TEXT) + 40) + GOOD[6:], Reason.LENGTH, f"its CP ends after {len(TEXT)}"),
    "length too short": (b"##%04d" % (len(TEXT) - 3) + GOOD[6:], Reason.LENGTH, f"its CP ends after {len(TEXT)}"),
    "length counts the head": (b"##%04d" % (len(TEXT) + 6) + GOOD[6:], Reason.LENGTH, f"after {len(TEXT)}"),
    "length ends among digits": (b"##%04d" % (TEXT.index("08000000") + 4) + GOOD[6:], Reason.LENGTH, f"{len(TEXT)}"),
    "cut off": (GOOD[:-20], Reason.LENGTH, "no check sum"),
    "cut inside the check sum": (GOOD[:-4], Reason.LENGTH, "no check sum"),
    "check sum is none": (GOOD[:-6] + b"&?A.", Reason.LENGTH, "no check sum"),
    "wrong check sum": (GOOD[:-6] + b"0001\r\n", Reason.CRC, "no known variant"),
    "a value changed": (GOOD.replace(b"41.2", b"41.3"), Reason.CRC, "is not"),
    "Modbus": (framed(TEXT, "modbus"), Reason.CRC, "it is right as modbus"),
    "swapped Modbus": (framed(TEXT, "modbus_swapped"), Reason.CRC, "it is right as modbus_swapped"),
    "no CP": (framed("QN=20200301080000001;ST=31;CN=2011;MN=A;Flag=5"), Reason.NO_CP, "no CP=&&"),
    "CP in another name": (framed("ST=31;CN=2011;XCP=&&&&"), Reason.NO_CP, "no CP=&&"),
    "CP not closed": (framed(HEAD + TIME + NOX), Reason.NO_CP, "not closed"),
    "no CN": (framed(TEXT.replace("CN=2011;", "")), Reason.NO_CN, "no CN"),
    "CN is no number": (framed(TEXT.replace("2011", "20x1")), Reason.NO_CN, "20x1"),
    "no DataTime": (framed(HEAD + NOX + "&&"), Reason.DATA_TIME, "no DataTime"),
    "empty DataTime": (framed(HEAD + "DataTime=;" + NOX + "&&"), Reason.DATA_TIME, "no DataTime"),
    "cipher as text": (cipher(HEX_CIPHER.encode()), Reason.ENCRYPTED, "2025"),
    "cipher as text, plain length": (cipher(HEX_CIPHER.encode(), length=99), Reason.ENCRYPTED, "2025"),
    "cipher as bytes": (cipher(RAW_CIPHER), Reason.ENCRYPTED, "2025"),
    "cipher of a key": (cipher(RAW_CIPHER, "1014"), Reason.ENCRYPTED, "2025"),
    "cipher of device info": (cipher(RAW_CIPHER, "3020"), Reason.ENCRYPTED, "2025"),
    "no cipher, for it is of 1011": (cipher(RAW_CIPHER, "1011"), Reason.CRC, "no known variant"),
    "no cipher, for it is of 2017": (cipher(RAW_CIPHER).replace(b"Flag=9", b"Flag=5"), Reason.CRC, "no known variant"),
}


@pytest.mark.parametrize(("payload", "reason", "what"), REFUSED.values(), ids=REFUSED)
def test_refused(payload: bytes, reason: Reason, what: str) -> None:
    """A payload without a good frame is refused with the reason that helps."""
    said = refusal(payload)
    assert said.startswith(f"{reason}: ")
    assert what in said


@pytest.mark.parametrize(
    "text",
    ["20201301000000", "20200230000000", "20200301240000", "20200301086000", "2020-03-01 08:00:00", "202003010800",
     "2020030108000", "202003010800001", "00000000000000", "19691231235959",
     "yesterday", "２０２００３０１０８００００"],
)  # fmt: skip
def test_bad_data_time(text: str) -> None:
    """Values of a time that is none are refused."""
    assert refusal(framed(f"{HEAD}DataTime={text};{NOX}&&")).startswith("DataTime: ")


@pytest.mark.parametrize("cn", ["2051", "2061", "2031"])
@pytest.mark.parametrize("text", ["19700101080000", "99991231235959"])
def test_end_at_the_edge_of_time(cn: str, text: str) -> None:
    """An end without a start before it, or on the last day of the calendar, breaks nothing."""
    payload = framed(f"{HEAD.replace('2011', cn)}DataTime={text};a21002-Avg=1&&")
    try:
        (frame,) = decode(payload, stamp="end").frames
    except DecodeError:
        assert refusal(payload, stamp="end").startswith("DataTime: ")
    else:
        assert frame.data_time_ms is not None
        assert 0 <= frame.data_time_ms < at("9999-12-31 23:59:59")


@pytest.mark.parametrize("crc", ["hj212", "modbus", "modbus_swapped"])
@pytest.mark.parametrize("asked", ["hj212", "modbus", "modbus_swapped", "off"])
def test_check_sums_asked_for(asked: str, crc: str) -> None:
    """A source is held to the check sum it is declared with; with none asked for, the one that is right is told."""
    payload = framed(TEXT, crc)
    if asked in (crc, "off"):
        assert decode(payload, crc=asked).frames[0].crc_matched == crc
    else:
        assert f"it is right as {crc}" in refusal(payload, crc=asked)


@pytest.mark.parametrize("tail", [b"", b"\r\n", b"?A\r\n", b"0001", b"0001\r\n", b"FFFFF"[:4]])
def test_no_check_sum_asked_for(tail: bytes) -> None:
    """With `off` a wrong, odd or missing check sum is passed over; the length and the CP still count."""
    payload = b"##%04d%s%s" % (len(TEXT), TEXT.encode(), tail)
    decoded = decode(payload + GOOD, crc="off")
    assert [frame.crc_matched for frame in decoded.frames] == ["off", "hj212"]
    assert not decoded.faults
    assert refusal(b"##0099" + payload[6:], crc="off").startswith("length: ")
    assert refusal(GOOD[:-20], crc="off").startswith("length: ")
    assert refusal(b"##0999" + TEXT.encode(), crc="off").startswith("length: ")


def faults_of(decoded: Decoded) -> list[tuple[int, Reason]]:
    """List where what was refused."""
    return [(fault.at, fault.reason) for fault in decoded.faults]


def test_bad_frame_among_good_ones() -> None:
    """The good frames are given, and the bad one with its place and reason."""
    bad = GOOD.replace(b"41.2", b"41.3")
    decoded = decode(GOOD + bad + GOOD)
    assert len(decoded.frames) == 2
    assert faults_of(decoded) == [(len(GOOD), Reason.CRC)]


def test_resynchronisation_inside_the_claimed_length() -> None:
    """A frame that was cut off does not swallow the good one within its claimed length."""
    decoded = decode(GOOD[:60] + GOOD)
    assert len(decoded.frames) == 1
    assert faults_of(decoded) == [(0, Reason.LENGTH)]


def test_one_more_mark() -> None:
    """A head with a third # is found."""
    decoded = decode(b"#" + GOOD)
    assert len(decoded.frames) == 1
    assert faults_of(decoded) == [(0, Reason.NOT_HJ212)]


def test_rubbish_between_frames() -> None:
    """Bytes between, before and behind good frames are told of, once each."""
    decoded = decode(b"abc" + GOOD + b"def" + GOOD + b"ghi")
    assert len(decoded.frames) == 2
    assert [fault.what for fault in decoded.faults] == [
        f"3 bytes are no frame: {b!r}" for b in (b"abc", b"def", b"ghi")
    ]


def test_frame_without_time_among_good_ones() -> None:
    """A frame whose content is refused is passed whole and does not hide the next."""
    decoded = decode(framed(HEAD + NOX + "&&") + GOOD)
    assert len(decoded.frames) == 1
    assert faults_of(decoded) == [(0, Reason.DATA_TIME)]


def test_all_reasons_are_named() -> None:
    """When no frame is good the first reasons are named and the rest counted."""
    bad = GOOD.replace(b"41.2", b"41.3")
    said = refusal(bad * 5)
    assert said.count("crc: ") == 3
    assert said.endswith("and 2 more")


def test_flood_of_bad_frames() -> None:
    """After fifty bad frames the rest is not read, and that is said."""
    decoded = decode(GOOD + b"##0005x" * 1000 + GOOD)
    assert len(decoded.frames) == 1
    assert [fault.reason for fault in decoded.faults] == [Reason.LENGTH] * 50 + [Reason.TOO_MANY]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "payload",
    [b"#" * 4_000_000, b"##9999" * 700_000, b"##9999;" + b" " * 4_000_000, b"##9999" + b"CP=&&" * 800_000,
     b"##9999Flag=9;CN=2011;CP=&&" + b"&& " * 1_000_000, (b"##9999" + b"A" * 9999 + b"0000") * 400,
     GOOD + b"##0004&&&&AAAA" * 200_000, b"CP" + b" " * 4_000_000],
    ids=["marks", "heads", "blanks", "CPs", "ends", "long frames", "short frames", "blanks behind CP"],
)  # fmt: skip
def test_hostile_payloads_end(payload: bytes) -> None:
    """Megabytes made to keep a decoder busy are done with quickly."""
    try:
        assert len(decode(payload).frames) == 1
    except DecodeError:
        return


def test_many_frames() -> None:
    """A payload of thousands of frames gives them all."""
    assert len(decode(GOOD * 3000).frames) == 3000


def test_check_sum_helper_is_not_the_decoder() -> None:
    """The frames of these tests carry the check sum of the standard's bit loop."""
    assert check_sum(b"123456789") == 0x2F80
