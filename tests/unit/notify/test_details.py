"""This module proves that details in figures and codes are told in words of the recipient's language."""

from __future__ import annotations

from dataclasses import replace

import pytest
from notify_plant import METER, plant

from plantmon.notify.details import detail
from plantmon.notify.facts import Facts

GAS = replace(METER, id="G-1", unit="m3")


@pytest.mark.parametrize(
    ("facts", "english", "chinese"),
    [
        (Facts("broker_dropped", detail="1284"), "1284 messages lost", "丢失消息 1284 条"),
        (Facts("meter_event", point="G-1", detail="replaced: 48211.6 -> 0.4"),
         "register fell from 48211.6 m³ to 0.4 m³", "表码由 48211.6 m³ 降为 0.4 m³"),
        (Facts("meter_event", point="gone", detail="too_fast: 1 -> 1e+06"),
         "register rose too fast, from 1 to 1e+06", "表码上升过快，由 1 升至 1e+06"),
        (Facts("jump", detail="12.4 -> -3 mg/m3"), "from 12.4 mg/m³ to -3 mg/m³", "由 12.4 mg/m³ 变为 -3 mg/m³"),
        (Facts("device_clock", detail="behind by 1h 30min"), "behind by 1 h 30 min", "慢 1 小时 30 分钟"),
        (Facts("device_clock", detail="a.b, a.c: ahead by more than 10min"), "a.b, a.c: ahead by more than 10 min",
         "a.b, a.c：快 10 分钟以上"),
        (Facts("balance", detail="m3-1 120 - (m3-2 60 + C 45) = 15 m3"), "m3-1 120 − (m3-2 60 + C 45) = 15 m³",
         "m3-1 120 − (m3-2 60 + C 45) = 15 m³"),
        (Facts("stuck", detail="not in force any more"), "not in force any more", "已不再生效"),
    ],
)  # fmt: skip
def test_details_in_words(facts: Facts, english: str, chinese: str) -> None:
    """Counts, registers, steps, lags and reckonings are told in words, with units as people print them."""
    known = plant(points={"G-1": GAS})
    assert detail(facts, known, "en") == english
    assert detail(facts, known, "zh") == chinese


@pytest.mark.parametrize("kind", ["broker_dropped", "meter_event", "jump", "device_clock", "balance", "broker_away"])
def test_what_is_not_understood_stays(kind: str) -> None:
    """A detail in no known form is told as it is; where there is none there is none."""
    assert detail(Facts(kind, detail="by Li: odd -> odder"), plant(), "zh") == "by Li: odd -> odder"
    assert detail(Facts(kind, detail=""), plant(), "zh") is None
