"""This module proves how readings become messages, and when the publisher sends them."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from email.message import EmailMessage

import pytest

from simulators.faults import Delivery, Flagged, Late, deliveries
from simulators.loadgen import encode, plant_messages
from simulators.mailbox import self_contained_html, slug
from simulators.messages import BATCH_TOPIC, hj212_check_sum, hj212_means, hj212_message
from simulators.plant import SimulatedPlant
from simulators.publish import SimClock, duration_ms, sendings

HOUR_MS = 3_600_000
START = int(datetime.fromisoformat("2026-03-02T08:00:00+08:00").timestamp() * 1000)
PLANT = SimulatedPlant()


def test_json_message_has_the_contract_shape() -> None:
    """One reading is ts with offset, value and unit on the point's topic; a flag only when there is one."""
    stream = deliveries(
        PLANT, START, START + 10_000, [Flagged("DA001.pm", START, START + 1, "M")], ["DA001.nox", "DA001.pm"]
    )
    [(at_ms, messages)] = sendings(PLANT, stream, START)
    assert at_ms == START
    topic, payload = messages[0]
    assert topic == "plant/cq-truck/DA001/nox"
    assert json.loads(payload) == {
        "ts": "2026-03-02T08:00:00+08:00",
        "value": PLANT.value("DA001.nox", START),
        "unit": "mg/m3",
    }
    assert json.loads(messages[1][1])["flag"] == "M"


def test_batch_holds_an_instant_and_flags_apart() -> None:
    """A batch message holds the unflagged values of an instant; a flagged one goes as a column."""
    stream = deliveries(PLANT, START, START + 10_000, [Flagged("DA001.pm", START, START + 1, "M")])
    [(_, [together, apart])] = sendings(PLANT, stream, START, "json-batch")
    assert len(json.loads(together[1])["values"]) == len(PLANT.points()) - 1
    assert json.loads(apart[1])["flags"] == ["M"]
    assert together[0] == apart[0] == BATCH_TOPIC


def test_history_goes_first_in_columns_and_loses_nothing() -> None:
    """What lies before the start goes at the start, in columns; what comes late goes live."""
    faults = [Late("DA001.nox", START - 60_000, START - 30_000, 3_600_000)]
    stream = deliveries(PLANT, START - 2 * HOUR_MS, START + 20_000, faults, ["DA001.nox", "E-MAIN"])
    planned = list(sendings(PLANT, stream, START))
    history = [json.loads(payload) for at_ms, messages in planned if at_ms == START for topic, payload in messages
               if topic == BATCH_TOPIC]  # fmt: skip
    assert sum(len(column["ts"]) for column in history) == 720 - 3 + 8
    assert [at_ms - START for at_ms, messages in planned][-1] == 3_600_000 - 40_000
    assert all(len(column["ts"]) == len(column["values"]) == len(column["flags"]) for column in history)


def test_unknown_shape_is_refused() -> None:
    """A format the feeds do not know is an error."""
    with pytest.raises(ValueError, match="hj212"):
        list(sendings(PLANT, [], START, "hj212"))


def test_clock_tells_when_in_real_time() -> None:
    """At 60 times real time a plant minute is a real second."""
    clock = SimClock(START, 1_000_000, 60)
    other = SimClock(START, 1_000_000, 1)
    assert clock.real_wait_s(START + 60_000) - other.real_wait_s(START) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(
    ("text", "ms"), [("90s", 90_000), ("30min", 1_800_000), ("24h", 86_400_000), ("3d", 259_200_000)]
)
def test_durations_are_read(text: str, ms: int) -> None:
    """Durations are a number and a unit."""
    assert duration_ms(text) == ms


def test_publish_packets_are_mqtt_3_1_1() -> None:
    """A PUBLISH of QoS 1 is its type, its length the topic, and after the packet id the payload."""
    head, payload = encode("a/b", b"x" * 200)
    assert head == b"\x32" + bytes([0xCF, 0x01]) + b"\x00\x03a/b"
    assert payload == b"x" * 200


def test_benchmark_messages_are_one_a_reading_or_one_an_instant() -> None:
    """As json every reading is a message, as json-batch every instant."""
    readings = list(PLANT.readings(START, START + 60_000))
    assert len(list(plant_messages(PLANT, START, START + 60_000))) == len(readings)
    assert len(list(plant_messages(PLANT, START, START + 60_000, "json-batch"))) == 6


def test_mail_page_holds_its_images() -> None:
    """A mail's HTML part opens in a browser: its cid: image is inside as data, an unknown one is left."""
    mail = EmailMessage()
    mail["Subject"] = "超标 NOx"
    mail.set_content("text")
    mail.add_alternative("<img src='cid:chart@x'><img src='cid:other'>", subtype="html")
    mail.get_payload()[1].add_related(b"\x89PNG", "image", "png", cid="<chart@x>")  # type: ignore[index, union-attr]
    page = self_contained_html(mail)
    assert page is not None
    assert "data:image/png;base64," + base64.b64encode(b"\x89PNG").decode() in page
    assert "cid:other" in page


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ("Breach: DA001 NOx 52.3 > 50", "breach-da001-nox-52-3-50"),
        ("超标 DA001/nox", "超标-da001-nox"),
        ("../..", "no-subject"),
    ],
)
def test_file_names_come_from_subjects(subject: str, name: str) -> None:
    """A subject becomes a file name without separators, in any script."""
    assert slug(subject) == name


def test_frame_of_a_data_logger() -> None:
    """A frame has head, length, check sum and tail, the codes of HJ 212 and its units; SampleTime where it differs."""
    assert hj212_check_sum(b"123456789") == 0x2F80
    sent = [Delivery(START, START, "DW001.flow", 36.0, "N"), Delivery(START, START - HOUR_MS, "DW001.cod", 43.2, "M")]
    topic, frame = hj212_message(PLANT, "A123456", START, sent)
    segment = (
        b"QN=20260302080000000;ST=32;CN=2011;PW=123456;MN=A123456;Flag=5;CP=&&DataTime=20260302080000;"
        b"w00000-Rtd=10,w00000-Flag=N;w01018-Rtd=43.2,w01018-Flag=M,w01018-SampleTime=20260302070000&&"
    )
    assert topic == "hj212/A123456"
    assert frame == b"##%04d%s%04X\r\n" % (len(segment), segment, hj212_check_sum(segment))
    _, hour = hj212_means(PLANT, "A123456", START, {"DA002.rto_temperature": 815.0, "DA002.flow": 7200.0})
    assert b"CN=2061;" in hour
    assert b"rto_temperature-Avg=815,rto_temperature-Flag=N;a00000-Avg=2,a00000-Flag=N&&" in hour
