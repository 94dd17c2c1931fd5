"""This module measures from the publish of a breaching reading to the mail accepted by the SMTP server, chart inside.

`python -m benchmarks.mail_latency`. Sixty points have a limit on single readings; each round lets them breach one after
the other, alone and over a background of 5,000 readings a second, and clears them before the next. Times are of the
publishing call and of the mail server's answer; the mail's facts tell which point it is about.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.ingest import wait_until_idle
from benchmarks.report import show
from simulators.brokers import Mosquitto
from simulators.loadgen import Loadgen
from simulators.mailbox import Mailbox, ReceivedMail
from simulators.messages import Message
from simulators.service import Service, eventually

POINTS = 60
OTHERS = 240
ALARM_EVERY_S = 0.7  # fewer a minute than the plant file takes for a storm, which would be mailed as one list
PLANT_HEAD = """\
plant:
  id: latency
  name: {en: Latency plant, zh: 延迟试验工厂}
  timezone: Asia/Shanghai
feeds:
  - {topic: "plant/{outlet}/{point}", format: json, qos: 1}
outlets:
  DA001:
    name: {en: Stack, zh: 排气筒}
    kind: air
    points:
"""
PLANT_TAIL = """\
alarms:
  recipients:
    ehs: {email: [ehs@example.com], severity: [warning, breach]}
  repeat: 4h
  deadband: 0.02
rules: {storm_mails: 100, incident_gap: 1ms}  # an end is told at once, and the next breach is another incident
"""


def plant_text() -> str:
    """Write a plant with limited points t000.. and others p000.. that only make noise."""
    point = "      {name}: {{name: {{en: {name}, zh: {name}}}, quantity: temperature, unit: degC, interval: 60s}}\n"
    limit = "      - {{point: {name}, basis: level, max: 100 degC, window: reading, standard: process rule}}\n"
    limited = [f"t{number:03}" for number in range(POINTS)]
    others = [f"p{number:03}" for number in range(OTHERS)]
    text = PLANT_HEAD + "".join(point.format(name=name) for name in limited + others)
    return text + "    limits:\n" + "".join(limit.format(name=name) for name in limited) + PLANT_TAIL


def noise(seconds: float, rate_per_s: float) -> Iterator[Message]:
    """Give the background: readings of the other points, each of a time of its own."""
    start_ms = time.time_ns() // 1_000_000 - 3_600_000
    for number in range(int(seconds * rate_per_s)):
        turn, point = divmod(number, OTHERS)
        yield f"plant/DA001/p{point:03}", json.dumps({"ts": start_ms + turn * 50, "value": 20 + turn % 7}).encode()


def is_about(mail: ReceivedMail, name: str) -> bool:
    """Whether a mail names a point."""
    return name in mail.subject or name in mail.text


def measure(rounds: int, background_per_s: float) -> tuple[list[float], int]:
    """Give the latencies in seconds of breaches, and how many of their mails held a chart."""
    count = rounds * POINTS
    with tempfile.TemporaryDirectory() as name, Mosquitto("fast") as broker, Mailbox(Path(name) / "mail") as mailbox:
        folder = Path(name) / "service"
        with Service(folder, plant_text(), broker.port, SMTP__PORT=mailbox.port) as service:
            wait_until_idle(service.pid)
            client = mqtt.Client(CallbackAPIVersion.VERSION2, "alarming")
            client.connect("127.0.0.1", broker.port)
            client.loop_start()
            # A first alarm and its end, not counted: the chart child has drawn once, the session is warm.
            _say(client, 0, 150.0)
            mailbox.wait_for(1, 30)
            _say(client, 0, 20.0)
            mailbox.wait_for(2, 30)
            arrived = 2
            ended = threading.Event()
            thread = _background(broker.port, background_per_s, count * ALARM_EVERY_S * 1.5 + rounds * 30 + 5, ended)
            if thread is not None:
                assert eventually(lambda: service.count() > background_per_s, 20)
            sent: list[tuple[str, float]] = []
            mails: list[ReceivedMail] = []
            for turn in range(rounds):
                for point in range(POINTS):
                    sent.append((f"t{point:03}", time.time()))
                    _say(client, point, 150.0 + turn)
                    time.sleep(ALARM_EVERY_S)
                mails += mailbox.wait_for(arrived + POINTS, 60)[arrived:]
                for point in range(POINTS):
                    _say(client, point, 20.0)
                for number in range(OTHERS):  # or their silence would be a storm of its own
                    _say(client, number, 20.0, "p")
                arrived += 2 * POINTS
                mailbox.wait_for(arrived, 60)
            ended.set()
            client.disconnect()
            client.loop_stop()
            if thread is not None:
                thread.join()
    return _latencies(sent, mails), sum("image/png" in part for mail in mails for part in _types(mail))


def _say(client: mqtt.Client, point: int, value: float, letter: str = "t") -> None:
    body = {"ts": time.time_ns() // 1_000_000, "value": value}
    client.publish(f"plant/DA001/{letter}{point:03}", json.dumps(body).encode(), qos=1)


def _types(mail: ReceivedMail) -> list[str]:
    return [part.get_content_type() for part in mail.message.walk()]


def _background(port: int, rate_per_s: float, seconds: float, ended: threading.Event) -> threading.Thread | None:
    if not rate_per_s:
        return None
    generator = Loadgen("127.0.0.1", port, noise(seconds, rate_per_s), window=1000, rate_per_s=rate_per_s)
    thread = threading.Thread(target=generator.run, kwargs={"stop": ended})
    thread.start()
    return thread


def _latencies(sent: list[tuple[str, float]], mails: list[ReceivedMail]) -> list[float]:
    """Match each publish with the first mail after it about its point."""
    left = list(mails)
    found = []
    for name, at_s in sent:
        mail = next((one for one in left if one.accepted_at_s >= at_s and is_about(one, name)), None)
        if mail is None:
            raise RuntimeError(f"no mail about {name}")
        left.remove(mail)
        found.append(mail.accepted_at_s - at_s)
    return found


def main() -> None:
    """Measure alone and under load, and print the percentiles."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mail_latency", description=__doc__)
    parser.add_argument("--rounds", type=int, default=2, help="of a breach for each point")
    parser.add_argument("--rate", type=float, default=5000, help="readings a second in the background")
    chosen = parser.parse_args()
    rows: list[list[object]] = []
    figures: dict[str, object] = {"target_p99_s": 0.5}
    for what, rate in (("alone", 0.0), ("loaded", chosen.rate)):
        times, charts = measure(chosen.rounds, rate)
        times.sort()
        p50, p99 = median(times), times[min(len(times) - 1, int(len(times) * 0.99))]
        rows.append([what, len(times), charts, f"{p50 * 1000:.0f}", f"{p99 * 1000:.0f}", f"{times[-1] * 1000:.0f}"])
        figures[what] = {"mails": len(times), "charts": charts, "p50_s": round(p50, 3), "p99_s": round(p99, 3),
                         "max_s": round(times[-1], 3)}  # fmt: skip
    show("mail latency (target p99 under 500 ms)", ["background", "mails", "charts", "p50 ms", "p99 ms", "max ms"],
         rows, figures)  # fmt: skip


if __name__ == "__main__":
    main()
