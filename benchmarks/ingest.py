"""This module measures durable ingest through mosquitto, the whole daemon against a bare client that only counts.

`python -m benchmarks.ingest`. Broker and load generator are pinned to the first core, what consumes to the second.
Each round runs both, one after the other, over the same messages through a fresh broker; ratios are of one round. The
daemon's time ends when the last reading is committed, the bare client's when it counted the last message.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

from benchmarks.report import show
from simulators.brokers import Mosquitto
from simulators.loadgen import Loadgen, plant_messages
from simulators.messages import BATCH_TOPIC, Message
from simulators.plant import COUNTER, SimulatedPlant
from simulators.plantfile import plant_file
from simulators.service import Service, eventually

POINTS = 300
HOUR_MS = 3_600_000
BROKER_CPU, CONSUMER_CPU = 0, 1
LIMIT_S = 120.0
POLL_S = 0.01
READINGS_IN_A_BATCH = 1000


def single_messages(plant: SimulatedPlant, count: int) -> list[Message]:
    """Give so many json messages of the plant's last hours, one reading each."""
    start_ms = time.time_ns() // 1_000_000 // HOUR_MS * HOUR_MS - 2 * HOUR_MS
    messages: list[Message] = []
    for message in plant_messages(plant, start_ms, start_ms + 2 * HOUR_MS):
        if "/meter/" not in message[0]:  # two feeds of the plant file match these, and the broker sends them twice
            messages.append(message)
        if len(messages) == count:
            break
    return messages


def series_messages(plant: SimulatedPlant, count: int) -> list[Message]:
    """Give so many json-batch messages, each a point's readings of a thousand seconds."""
    now_ms = time.time_ns() // 1_000_000 // 1000 * 1000
    points = [point for point in plant.points() if point.kind != COUNTER]
    messages = []
    for number in range(count):
        point, back = points[number % len(points)], number // len(points) + 1
        start_ms = now_ms - back * READINGS_IN_A_BATCH * 1000
        body = {
            "point": point.id,
            "unit": point.unit,
            "ts": [start_ms + place * 1000 for place in range(READINGS_IN_A_BATCH)],
            "values": [round(20 + (number + place) % 97 * 0.1, 1) for place in range(READINGS_IN_A_BATCH)],
        }
        messages.append((BATCH_TOPIC, json.dumps(body, separators=(",", ":")).encode()))
    return messages


def _pinned(broker: Mosquitto) -> None:
    assert broker.pid is not None
    os.sched_setaffinity(broker.pid, {BROKER_CPU})


def _publish(port: int, messages: list[Message]) -> tuple[threading.Thread, float]:
    """Begin to publish on a thread of this process; give it and when it began."""
    generator = Loadgen("127.0.0.1", port, messages, window=1000)
    thread = threading.Thread(target=generator.run, kwargs={"limit_s": LIMIT_S})
    began = time.monotonic()
    thread.start()
    return thread, began


def bare_seconds(messages: list[Message]) -> float:
    """Give how long the bare client takes for the messages."""
    with Mosquitto("fast") as broker:
        _pinned(broker)
        command = [sys.executable, "-m", "benchmarks.bare", str(broker.port), str(len(messages))]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            os.sched_setaffinity(child.pid, {CONSUMER_CPU})
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            thread, began = _publish(broker.port, messages)
            ended = float(child.stdout.readline())
            thread.join()
        return ended - began


def daemon_seconds(plant: SimulatedPlant, messages: list[Message], readings: int, **settings: object) -> float:
    """Give how long the daemon takes until every reading is committed; `settings` as a `Service` takes them."""
    with tempfile.TemporaryDirectory() as folder, Mosquitto("fast") as broker:
        _pinned(broker)
        with Service(Path(folder), plant_file(plant), broker.port, cpu=CONSUMER_CPU, **settings) as service:
            wait_until_idle(service.pid)
            thread, began = _publish(broker.port, messages)
            if not eventually(lambda: service.count() >= readings, LIMIT_S, POLL_S):
                raise RuntimeError(f"{service.count()} of {readings} readings after {LIMIT_S} s")
            ended = time.monotonic()
            thread.join()
        return ended - began


def wait_until_idle(pid: int) -> None:
    """Wait until a process and its children use no more processor time worth speaking of: imports are over."""
    used, quiet = -1.0, 0
    for _ in range(200):
        now = processor_s(pid)
        quiet = quiet + 1 if now - used < 0.02 else 0
        used = now
        if quiet >= 4:
            return
        time.sleep(0.15)


def processor_s(pid: int) -> float:
    """Give the processor time a process and its children have used."""
    total = 0
    for one in [pid, *children(pid)]:
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    """List a process's children and theirs."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *children(int(child))]
    return found


def main() -> None:
    """Measure, and print seconds, ratios and rates."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--batches", type=int, default=2_000)
    parser.add_argument("--daemon-only", action="store_true", help="without the bare client, for profiling")
    chosen = parser.parse_args()
    os.sched_setaffinity(0, {BROKER_CPU})
    plant = SimulatedPlant(size=POINTS)
    singles = single_messages(plant, chosen.messages)
    batches = series_messages(plant, chosen.batches)
    in_batches = len(batches) * READINGS_IN_A_BATCH
    bare, daemon, batched = [], [], []
    for number in range(chosen.rounds):
        bare.append(0.0 if chosen.daemon_only else bare_seconds(singles))
        daemon.append(daemon_seconds(plant, singles, len(singles)))
        batched.append(daemon_seconds(plant, batches, in_batches) if batches else 0.0)
        print(f"round {number + 1}: bare {bare[-1]:.2f} s, daemon {daemon[-1]:.2f} s, batches {batched[-1]:.2f} s",
              flush=True)  # fmt: skip
    ratios = [own / yardstick for own, yardstick in zip(daemon, bare, strict=True) if yardstick]
    figures = {
        "messages": len(singles),
        "bare_per_s": round(len(singles) / median(bare)) if ratios else None,
        "daemon_per_s": round(len(singles) / median(daemon)),
        "ratio": round(median(ratios), 3) if ratios else None,
        "ratios": [round(ratio, 3) for ratio in ratios],
        "batched_readings_per_s": round(in_batches / median(batched)) if batches else None,
    }
    rows = [
        ["bare client, counting", figures["bare_per_s"], "messages/s", ""],
        ["daemon, committed", figures["daemon_per_s"], "messages/s", ""],
        ["ratio of times, median", figures["ratio"], "", "at most 1.15"],
        ["batches of 1000", figures["batched_readings_per_s"], "readings/s", "over 300000"],
    ]
    show("ingest", ["what", "measured", "unit", "target"], rows, figures)


if __name__ == "__main__":
    main()
