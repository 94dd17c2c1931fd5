"""This module is the true plant's stacks, waste water and boundary noise: each signal a pure function of time.

A signal normally complies with the permit of the example plant file, with some head-room. While its source rests it
shows what an instrument shows then: air in a cold stack, no flow, an RTO cooling down.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulators.noise import Instants, Noise, Values
from simulators.shifts import DAY_MS, HOUR_MS, MINUTE_MS, WEEK_MS, running, since_monday_ms, spans_of_week, summer

Signal = Callable[[Noise, Instants, int], Values]  # noise of the outlet, instants, the point's interval in ms

AIR_OXYGEN_PCT = 20.9
REFERENCE_OXYGEN_PCT = 3.5
RTO_SET_DEGC = 820.0
RTO_PREHEAT_MS = 50 * MINUTE_MS
RTO_COOLING_MS = 5 * HOUR_MS


def _boiler_on(ts_ms: Instants) -> Values:
    return running(ts_ms, lead_h=0.5, lag_h=0.5, ramp_ms=10 * MINUTE_MS)


def _boiler_oxygen(noise: Noise, ts_ms: Instants) -> Values:
    burning = REFERENCE_OXYGEN_PCT + 0.3 * noise.smooth("oxygen", ts_ms, 25 * MINUTE_MS)
    return AIR_OXYGEN_PCT - _boiler_on(ts_ms) * (AIR_OXYGEN_PCT - burning)


def _diluted(at_reference: Values, oxygen_pct: Values) -> Values:
    """Turn a concentration at reference oxygen into the measured one (GB 13271-2014 5.2, solved for C')."""
    return at_reference * (21 - oxygen_pct) / (21 - REFERENCE_OXYGEN_PCT)


def boiler_oxygen(noise: Noise, ts_ms: Instants, interval_ms: int) -> Values:
    """Give the boiler's dry oxygen in %: about 3.5 while it burns, air while it rests."""
    return _boiler_oxygen(noise, ts_ms) + 0.04 * noise.white("o2", ts_ms, interval_ms)


def boiler_nox(noise: Noise, ts_ms: Instants, interval_ms: int) -> Values:
    """Give the boiler's measured NOx in mg/m3: 31 to 42 at reference oxygen, near 0 while it rests."""
    at_reference = (
        36.3
        - summer(ts_ms)
        + 2.5 * noise.smooth("nox-load", ts_ms, 3 * HOUR_MS)
        + 1.2 * noise.smooth("nox", ts_ms, 17 * MINUTE_MS)
    )
    return _diluted(at_reference, _boiler_oxygen(noise, ts_ms)) + 0.35 * noise.white("nox", ts_ms, interval_ms)


def boiler_so2(noise: Noise, ts_ms: Instants, interval_ms: int) -> Values:
    """Give the boiler's measured SO2 in mg/m3: 2 to 6, and around 0, now and then below, while it rests."""
    at_reference = 4 + 1.5 * noise.smooth("so2", ts_ms, 2 * HOUR_MS)
    return _diluted(at_reference, _boiler_oxygen(noise, ts_ms)) + 0.3 * noise.white("so2", ts_ms, interval_ms)


def boiler_pm(noise: Noise, ts_ms: Instants, interval_ms: int) -> Values:
    """Give the boiler's measured particles in mg/m3: 2 to 5."""
    at_reference = 3.4 + noise.smooth("pm", ts_ms, HOUR_MS)
    return _diluted(at_reference, _boiler_oxygen(noise, ts_ms)) + 0.15 * noise.white("pm", ts_ms, interval_ms)


def boiler_flow(noise: Noise, ts_ms: Instants, interval_ms: int) -> Values:
    """Give the boiler's dry standard flow in m3/h: about 26,000, more in winter, near 0 while it rests."""
    load = 1 - 0.15 * summer(ts_ms) + 0.1 * noise.smooth("load", ts_ms, 2 * HOUR_MS)
    load = load + 0.01 * noise.white("flow", ts_ms, interval_ms)
    return 26_000 * load * _boiler_on(ts_ms) + 15 * (1 + noise.smooth("leak", ts_ms, HOUR_MS))


def _coating_on(ts_ms: Instants) -> Values:
    return running(ts_ms, lead_h=0.25, lag_h=0.3, ramp_ms=5 * MINUTE_MS)


def coating_nmhc(noise: Noise, ts_ms: Instants, interval_ms: int) -> Values:
    """Give the RTO stack's NMHC in mg/m3, as carbon: 15 to 35 while the line runs."""
    burnt = (
        25
        + 5 * noise.smooth("bodies", ts_ms, 90 * MINUTE_MS)
        + 2.5 * noise.smooth("valves", ts_ms, 11 * MINUTE_MS)
        + 0.6 * noise.white("nmhc", ts_ms, interval_ms)
    )
    on = _coating_on(ts_ms)
    return burnt * on + (1.2 + 0.25 * noise.white("rest", ts_ms, interval_ms)) * (1 - on)


def coating_flow(noise: Noise, ts_ms: Instants, interval_ms: int) -> Values:
    """Give the RTO stack's flow in m3/h: about 83,000 while the line runs, under 100 while it rests."""
    load = 0.9 + 0.06 * noise.smooth("fans", ts_ms, HOUR_MS) + 0.008 * noise.white("flow", ts_ms, interval_ms)
    return 92_000 * load * _coating_on(ts_ms) + 25 * (1 + noise.smooth("draught", ts_ms, HOUR_MS))


def rto_temperature(noise: Noise, ts_ms: Instants, interval_ms: int) -> Values:
    """Give the combustion chamber's temperature in degC: 820 from before the line starts, cooling while it rests."""
    spans = spans_of_week(lead_h=1 / 3, lag_h=0.4)
    starts = np.array([start for start, _ in spans] + [spans[0][0] + WEEK_MS])
    ends = np.array([spans[-1][1] - WEEK_MS] + [end for _, end in spans])
    now = since_monday_ms(ts_ms)
    begun = np.searchsorted(starts[:-1], now, side="right")
    rest_ms = np.maximum(now - ends[begun], 0)
    ambient = 24 + 10 * summer(ts_ms)
    cold = ambient + (RTO_SET_DEGC - ambient) * np.exp(-rest_ms / RTO_COOLING_MS)
    preheat = np.clip(1 - (starts[begun] - now) / RTO_PREHEAT_MS, 0, 1)
    heated = cold * (1 - preheat) + RTO_SET_DEGC * preheat
    flicker = 4 * noise.smooth("burner", ts_ms, 7 * MINUTE_MS) + 0.5 * noise.white("temperature", ts_ms, interval_ms)
    return np.asarray(heated + flicker)


def water_flow(noise: Noise, ts_ms: Instants, interval_ms: int) -> Values:
    """Give the discharged waste water in m3/h: about 14 from 06:30 to 23:30 of a working day, exactly 0 otherwise."""
    on = running(ts_ms, lead_h=-0.5, lag_h=1.5, ramp_ms=5 * MINUTE_MS)
    pumped = 14 + 2 * noise.smooth("basin", ts_ms, 2 * HOUR_MS) + 0.1 * noise.white("flow", ts_ms, interval_ms)
    return pumped * on


def _slow(name: str, mean: float, swing: float, scatter: float) -> Signal:
    def signal(noise: Noise, ts_ms: Instants, interval_ms: int) -> Values:
        slow = noise.smooth(name, ts_ms, 7 * HOUR_MS) * 0.7 + noise.smooth(f"{name}-weeks", ts_ms, 9 * DAY_MS) * 0.3
        return mean + swing * slow + scatter * noise.white(f"{name}-white", ts_ms, interval_ms)

    return signal


def boundary_leq(noise: Noise, ts_ms: Instants, interval_ms: int) -> Values:
    """Give the boundary's sound level in dB: about 58 while the shifts work, 48 at night, 52 on a Sunday's day."""
    works = running(ts_ms, lead_h=0, lag_h=0, ramp_ms=10 * MINUTE_MS)
    day_ms = since_monday_ms(ts_ms) % DAY_MS
    street = np.interp(day_ms, [0, 6 * HOUR_MS, 6.5 * HOUR_MS, 21 * HOUR_MS, 22 * HOUR_MS], [48, 48, 52, 52, 48])
    level = street + (58 - street) * works
    return level + 1.5 * noise.smooth("leq", ts_ms, HOUR_MS) + 0.6 * noise.white("leq", ts_ms, interval_ms)


SIGNALS: dict[str, Signal] = {
    "boiler.nox": boiler_nox,
    "boiler.so2": boiler_so2,
    "boiler.pm": boiler_pm,
    "boiler.o2": boiler_oxygen,
    "boiler.flow": boiler_flow,
    "coating.nmhc": coating_nmhc,
    "coating.flow": coating_flow,
    "coating.rto_temperature": rto_temperature,
    "water.cod": _slow("cod", 52, 14, 1.5),
    "water.nh3n": _slow("nh3n", 6, 2.2, 0.2),
    "water.tss": _slow("tss", 28, 9, 1.2),
    "water.ph": _slow("ph", 7.4, 0.35, 0.03),
    "water.flow": water_flow,
    "boundary.leq": boundary_leq,
}
