"""This module watches the daemon's own memory over simulated weeks: 300 points at 10 s on a clock that runs fast.

`python -m benchmarks.memory --minutes 4 --rate 2500`. The plant's readings come as one message an instant on the
daemon's own clock, so that windows close, days are sealed and silence is watched as they are in a plant. Chart and
other children are counted apart.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean

from benchmarks.ingest import children
from benchmarks.report import show
from simulators.brokers import Mosquitto
from simulators.loadgen import Loadgen
from simulators.mailbox import Mailbox
from simulators.messages import BATCH_TOPIC, Message
from simulators.plant import COUNTER, SimPoint, SimulatedPlant
from simulators.plantfile import plant_file
from simulators.publish import SimClock, moment_ms
from simulators.service import Service

POINTS = 300
INSTANT_MS = 10_000
DAY_MS = 86_400_000
START = "2026-03-01T00:00:00+08:00"
TARGET_MB = 150
SAMPLE_S = 2.0
WARM_DAYS = 1.0  # caches of a day are full then


def value_at(point: SimPoint, number: int, ts_ms: int) -> float:
    """Give a plausible value without a breach: registers that rise, gauges that swing gently inside their limits."""
    if point.kind == COUNTER:
        return round(1000 + number + ts_ms % (400 * DAY_MS) / 3_600_000 * 2, 2)
    swing = math.sin(ts_ms / 3_600_000 + number)
    calm = {"temperature": 820.0, "gas_flow": 30_000.0, "ph": 7.5, "sound_level": 45.0, "oxygen": 5.0, "pm": 8.0}
    return round(calm.get(point.quantity, 20.0) * (1 + 0.02 * swing), 2)


def instants(plant: SimulatedPlant, clock: SimClock, end_ms: int) -> Iterator[list[Message]]:
    """Give the messages that are due, waiting for the clock; each holds the points due at its instant."""
    at_ms = clock.start_ms
    points = list(enumerate(plant.points()))
    while at_ms < end_ms:
        due: list[Message] = []
        while at_ms <= clock.now_ms() and len(due) < 200:
            values = {one.id: value_at(one, number, at_ms) for number, one in points if at_ms % one.interval_ms == 0}
            due.append((BATCH_TOPIC, json.dumps({"ts": at_ms, "values": values}, separators=(",", ":")).encode()))
            at_ms += INSTANT_MS
        if due:
            yield due
        else:
            time.sleep(max(0.0, clock.real_wait_s(at_ms)))


def memory_mb(pid: int) -> float:
    """Give a process's resident memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1000
    return 0.0


def watch(minutes: float, rate: float) -> tuple[list[tuple[float, float, float]], int]:
    """Run the plant; give samples of (plant day, own MB, children MB), and how many readings were stored."""
    plant = SimulatedPlant(size=POINTS)
    real_start = time.time() + 5
    clock = SimClock(moment_ms(START), int(real_start * 1000), rate)
    settings = {
        "CLOCK__START": START,
        "CLOCK__REAL_START": datetime.fromtimestamp(real_start, UTC).isoformat(),
        "CLOCK__RATE": rate,
    }
    samples = []
    ended = threading.Event()
    with (
        tempfile.TemporaryDirectory() as folder,
        Mosquitto("fast") as broker,
        Mailbox(Path(folder) / "mail") as mailbox,
    ):
        settings["SMTP__PORT"] = mailbox.port
        with Service(Path(folder) / "service", plant_file(plant), broker.port, **settings) as service:

            def send() -> None:
                for due in instants(plant, clock, clock.start_ms + 400 * DAY_MS):
                    if ended.is_set():
                        return
                    Loadgen("127.0.0.1", broker.port, due).run(limit_s=30)

            sending = threading.Thread(target=send)
            sending.start()
            while time.time() < real_start + minutes * 60:
                time.sleep(SAMPLE_S)
                day = (clock.now_ms() - clock.start_ms) / DAY_MS
                samples.append((day, memory_mb(service.pid), sum(memory_mb(one) for one in children(service.pid))))
            ended.set()
            sending.join()
            stored = service.count()
    return samples, stored


def main() -> None:
    """Watch, and print the course of the memory."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--rate", type=float, default=2500)
    chosen = parser.parse_args()
    samples, stored = watch(chosen.minutes, chosen.rate)
    warm = [sample for sample in samples if sample[0] >= WARM_DAYS] or samples
    half = len(warm) // 2 or 1
    earlier, later = mean(own for _, own, _ in warm[:half]), mean(own for _, own, _ in warm[half:] or warm)
    figures = {
        "plant_days": round(samples[-1][0], 1),
        "readings": stored,
        "own_mb_max": round(max(own for _, own, _ in samples), 1),
        "own_mb_first_half": round(earlier, 1),
        "own_mb_second_half": round(later, 1),
        "children_mb": round(samples[-1][2], 1),
    }
    step = max(1, len(samples) // 12)
    rows = [[f"{day:.1f}", f"{own:.1f}", f"{apart:.1f}"] for day, own, apart in samples[::step]]
    show(f"memory (target under {TARGET_MB} MB, flat)", ["plant day", "own MB", "children MB"], rows, figures)


if __name__ == "__main__":
    main()
