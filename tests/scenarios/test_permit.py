"""This module tells what becomes of verdicts when the permit changes: a renewal, a typing mistake, its correction."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from replay import Replay

from plantmon.feed.check import Message
from plantmon.plant import load_plant_text
from plantmon.requests import Requests
from plantmon.store import verdicts
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS

POINT, LIMIT = "DA001.nox", "DA001/nox/concentration/1h/permit/-"
TEXT = """\
plant: {id: stack, name: Stack, timezone: Asia/Shanghai}
feeds: [{topic: "p/{outlet}/{point}", format: json}]
outlets:
  DA001:
    name: Stack
    kind: air
    points: {nox: {quantity: nox, unit: mg/m3, interval: 60s, range: [0, 1000]}}
    limits:
      - {pollutant: nox, basis: concentration, max: MAX mg/m3, window: 1h, standard: permit}
"""
RIGHT, WRONG = TEXT.replace("MAX", "50"), TEXT.replace("MAX", "500")
TIME = load_plant_text(RIGHT, "plant.yaml").time
MONDAY = TIME.parse("2020-03-02")
TUESDAY, WEDNESDAY = MONDAY + DAY_MS, MONDAY + 2 * DAY_MS


def start(folder: Path, text: str, now_ms: int) -> Replay:
    """Start the service with a plant file."""
    return Replay(folder, load_plant_text(text, "plant.yaml"), now_ms)


def measure(service: Replay, start_ms: int, end_ms: int, value: float) -> None:
    """Send a value a minute of [start, end), and let every hour close."""
    for hour in range(start_ms, end_ms, HOUR_MS):
        rows = [{"ts": at, "value": value} for at in range(hour, hour + HOUR_MS, MINUTE_MS)]
        service.now_ms = max(service.now_ms, hour + HOUR_MS)
        service.take([Message("p/DA001/nox", json.dumps(row).encode(), service.now_ms) for row in rows])
    service.settle(end_ms + 10 * MINUTE_MS)


def outcomes(service: Replay, start_ms: int, end_ms: int) -> list[str]:
    """Give the outcomes of the hours that begin in [start, end), in their order."""
    with service.store.readers.snapshot() as connection:
        return [str(one.outcome) for one in verdicts.span(connection, LIMIT, start_ms, end_ms)]


def adopt(service: Replay, version: int | str, from_ms: int) -> tuple[bool, dict[str, Any]]:
    """Ask for an adoption, as the command does, and let what it touches be judged."""
    body = {
        "version": version, "from": from_ms, "reason": "typing mistake", "hash": service.plant.version,
        "language": "en",
    }  # fmt: skip
    answer = Requests(service.pipeline, lambda: service.now_ms).handle("adopt", body, "li")
    service.settle()
    return answer


def test_a_typing_mistake_is_put_right_from_its_day(tmp_path: Path) -> None:
    """500 was typed for 50: the corrected file judges what comes, and once adopted the hours since its day again."""
    service = start(tmp_path, WRONG, MONDAY)
    measure(service, MONDAY, TUESDAY, 70.0)
    service.store.close()
    service = start(tmp_path, RIGHT, TUESDAY + 30 * MINUTE_MS)
    measure(service, TUESDAY, WEDNESDAY, 70.0)
    # The hour that had begun when the file was loaded is the old file's.
    assert outcomes(service, MONDAY, WEDNESDAY) == ["ok"] * 25 + ["exceed"] * 23

    # Midnight's hour was the old file's and is now the new one's.
    answer = {"version": 2, "from": TUESDAY, "verdicts_changed": 1}
    assert adopt(service, "latest", TUESDAY) == (True, answer)
    assert outcomes(service, MONDAY, WEDNESDAY) == ["ok"] * 24 + ["exceed"] * 24
    assert adopt(service, 2, MONDAY)[0]
    assert outcomes(service, MONDAY, WEDNESDAY) == ["exceed"] * 48
    assert adopt(service, 2, WEDNESDAY)[0]
    assert outcomes(service, MONDAY, WEDNESDAY) == ["ok"] * 48
    service.store.close()


def test_an_adoption_outlives_a_restart(tmp_path: Path) -> None:
    """After a restart the same version judges the same time, and judging it again changes nothing."""
    service = start(tmp_path, WRONG, MONDAY)
    measure(service, MONDAY, TUESDAY, 70.0)
    service.store.close()
    service = start(tmp_path, RIGHT, TUESDAY)
    assert adopt(service, "latest", MONDAY + DAY_MS)[0]
    assert adopt(service, "latest", MONDAY)[0]
    service.store.close()
    service = start(tmp_path, RIGHT, WEDNESDAY)
    assert outcomes(service, MONDAY, TUESDAY) == ["exceed"] * 24
    assert service.pipeline.recompute(MONDAY, TUESDAY, WEDNESDAY) == (0, 0)
    service.store.close()


def test_late_data_is_judged_by_the_file_of_its_time(tmp_path: Path) -> None:
    """Readings of Monday that come on Tuesday, after a stricter file was loaded, are judged by Monday's."""
    service = start(tmp_path, WRONG, MONDAY)
    service.store.close()
    service = start(tmp_path, RIGHT, TUESDAY)
    measure(service, MONDAY, WEDNESDAY, 70.0)
    assert outcomes(service, MONDAY, WEDNESDAY) == ["ok"] * 24 + ["exceed"] * 24
    service.store.close()


def test_what_cannot_be_adopted_changes_nothing(tmp_path: Path) -> None:
    """An unknown version is refused with a sentence, and no window is judged again."""
    service = start(tmp_path, RIGHT, MONDAY)
    measure(service, MONDAY, MONDAY + HOUR_MS, 70.0)
    assert adopt(service, 9, MONDAY) == (False, {"error": "there is no version 9; known are 1"})
    assert outcomes(service, MONDAY, TUESDAY) == ["exceed"]
    service.store.close()
