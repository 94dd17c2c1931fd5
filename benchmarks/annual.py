"""This module measures how long the annual report of 300 points takes from stored windows, and looks into figures.

`python -m benchmarks.annual`. The store is filled with hour and day windows, hours and days of amounts and verdicts of
a year as the stages leave them: 121 meters, 28 stacks with five points each, 8 waste-water outlets with five. A third
of the stacks' SO2 lies around its detection limit, which is the work that asks for hours.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np

from benchmarks.report import show
from plantmon.esg.engine import annual
from plantmon.esg.look import Looker
from plantmon.esg.volumes import Waters
from plantmon.model.metric import Term
from plantmon.model.plant import Plant
from plantmon.plant.load import load_plant_text
from plantmon.store import ledger, points
from plantmon.store.database import Store
from plantmon.times import HOUR_MS

METERS, STACKS, WATERS = 120, 28, 8
TRIES = 5
YEAR = 2020


AIR = ("nox: nox, mg/m3, 60s", "so2: so2, mg/m3, 60s", "pm: pm, mg/m3, 60s", 'o2: oxygen, "%", 60s',
       "flow: gas_flow, m3/h, 60s")  # fmt: skip
WATER = ("cod: cod, mg/L, 1h", "nh3n: ammonia_nitrogen, mg/L, 1h", "tss: tss, mg/L, 1h", "ph: ph, pH, 60s",
         "flow: water_flow, m3/h, 60s")  # fmt: skip
COUNTED = (("electricity", "kWh"), ("water", "m3"), ("natural_gas", "m3"))


def outlet(id: str, kind: str, points: tuple[str, ...]) -> Iterator[str]:
    """Write an outlet."""
    yield f"  {id}: {{name: {id}, kind: {kind}, points: {{"
    for point in points:
        name, _, rest = point.partition(": ")
        quantity, unit, interval = rest.split(", ")
        limit = ", detection_limit: 3" if name in ("nox", "so2") else ""
        yield f"    {name}: {{quantity: {quantity}, unit: {unit}, interval: {interval}{limit}}},"
    yield "    }, limits: ["
    if kind == "air":
        for name in ("nox", "so2", "pm"):
            yield f"      {{pollutant: {name}, basis: concentration, max: 50 mg/m3, window: 1h, standard: p}},"
    yield "    ]}"


def plant_text() -> str:
    """Write the plant file of the benchmark."""
    lines = ["plant: {id: bench, name: B, timezone: Asia/Shanghai}", "outlets:"]
    for n in range(STACKS):
        lines += outlet(f"DA{n:03}", "air", AIR)
    for n in range(WATERS):
        lines += outlet(f"DW{n:03}", "water", WATER)
    lines.append("meters:")
    for n in range(METERS):
        role = "purchased" if n < 6 else "sub"
        quantity, unit = COUNTED[n % 3]
        lines.append(f"  M{n:03}: {{quantity: {quantity}, unit: {unit}, role: {role}, interval: 15min}}")
    lines.append("  LINE: {quantity: production, product: vehicle, unit: pcs, role: output, interval: 5min}")
    lines.append("esg: {denominators: {vehicle: {quantity: production, product: vehicle}}}")
    return "\n".join(lines) + "\n"


def fill(store: Store, plant: Plant, numbers: dict[str, int]) -> None:
    """Write a year of windows, amounts and verdicts, and a ledger."""
    days = plant.time.days(plant.time.parse(f"{YEAR}-01-01"), plant.time.parse(f"{YEAR + 1}-01-01"))
    ends = [*days[1:], plant.time.next_day(days[-1])]
    hours = range(days[0], ends[-1], HOUR_MS)
    meters = [numbers[id] for id, one in plant.points.items() if one.register is not None]
    gauges = [(numbers[id], one) for id, one in plant.points.items() if one.register is None]
    rng = np.random.default_rng(1)
    ph = {numbers[f"DW{n:03}.ph"] for n in range(WATERS)}
    low = {numbers[f"DA{n:03}.so2"] for n in range(0, STACKS, 3)}

    def windows() -> Iterator[tuple[object, ...]]:
        for level, starts, length in (("1d", days, 24 * HOUR_MS), ("1h", hours, HOUR_MS)):
            for start in starts:
                for number in meters:
                    yield level, start, number, start + length, None, None, None, 10**9, length, length, length, 96, 1
                means = 30 + rng.random(len(gauges)).round(3)
                for (number, _), mean in zip(gauges, means.tolist(), strict=True):
                    own = mean / 10 if number in low else mean / 4 if number in ph else mean
                    yield (level, start, number, start + length, own, own - 1, own + 1, None, 60, 60, 60, 60, 1)

    def amounts(is_day: bool) -> Iterator[tuple[object, ...]]:
        for number, one in gauges:
            if one.quantity in ("nox", "so2", "pm") and not is_day:
                yield from ((number, "1h", hour, hour + HOUR_MS, 60, 0.123456789012, None) for hour in hours)
            if one.quantity in ("nox", "so2", "pm", "cod", "ammonia_nitrogen", "tss") and is_day:
                for start, end in zip(days, ends, strict=True):
                    yield number, start, end, 24 * 0.123456789012, 0.0, 1440, 0, 0, 0, 0

    def verdicts() -> Iterator[tuple[object, ...]]:
        for place, limit in enumerate(plant.limits):
            for turn, hour in enumerate(hours):
                yield limit.key, hour, hour + HOUR_MS, "ok", 30.5, 50.0, place * len(hours) + turn

    columns = 'level, start, point, "end", mean, minimum, maximum, amount, due, had, valid, readings, is_valid'
    spans = [(number, days[0], ends[-1]) for number in numbers.values()]
    for statement, rows in (
        (f'INSERT INTO "window" ({columns}, over_range, estimated) VALUES ({places(13)}, 0, 0)', windows()),
        (f"INSERT INTO emission VALUES ({places(7)})", amounts(False)),
        (f"INSERT INTO emission_day VALUES ({places(10)})", amounts(True)),
        (
            f'INSERT INTO verdict (limit_key, start, "end", outcome, value, bound, seq) VALUES ({places(7)})',
            verdicts(),
        ),
        ("INSERT INTO closed VALUES (?, '1h', ?, ?)", iter(spans)),
    ):
        store.write(lambda c, statement=statement, rows=rows: c.executemany(statement, rows))  # type: ignore[misc]
    for item, unit in (("diesel", "L"), ("gasoline", "L"), ("waste.hazardous", "t"), ("packing.wood", "m3")):
        for month in range(12):
            start = days[0] + month * 28 * 24 * HOUR_MS
            new = ledger.NewLine("m", start, start + 24 * HOUR_MS, item, Decimal("12345.67"), unit, "", "doc", "")
            store.write(lambda c, new=new: ledger.add(c, new, "bench", 0))  # type: ignore[misc]


def places(count: int) -> str:
    """Give so many places for values."""
    return ", ".join("?" * count)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Give the first and the median of several runs, s."""
    took = []
    for _ in range(TRIES):
        begun = time.perf_counter()
        work()
        took.append(time.perf_counter() - begun)
    return took[0], sorted(took)[len(took) // 2]


def main() -> None:
    """Fill a store, then time the report and looks into figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="a folder to keep the store in, and to find it again")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = arguments.keep or Path(made)
        is_new = not (folder / "plantmon.db").exists()
        plant = load_plant_text(plant_text(), "plant.yaml")
        store = Store(folder / "plantmon.db")
        now = plant.time.parse(f"{YEAR + 1}-02-01")
        numbers = store.write(lambda c: points.register_points(c, plant, now))
        begun = time.perf_counter()
        if is_new:
            fill(store, plant, numbers)
        filled = time.perf_counter() - begun
        with store.readers.snapshot() as c:
            report = timed(lambda: annual(c, plant, numbers, f"{YEAR}", None, now))
            both = timed(lambda: annual(c, plant, numbers, f"{YEAR}", f"{YEAR - 1}", now))
            month = timed(lambda: annual(c, plant, numbers, f"{YEAR}-07", None, now))

            def explain(id: str) -> int:
                waters = Waters(c, plant, numbers)
                found = annual(c, plant, numbers, f"{YEAR}", None, now, id, waters)
                looker = Looker(c, plant, numbers, waters)
                (line,) = [one for one in found.lines if one.figure.metric.id == id]

                def deeper(term: Term, levels: int) -> int:
                    if not levels or not (term.terms or term.look):
                        return 1
                    parts = term.terms or looker.into(term)
                    return 1 + sum(deeper(one, levels if term.terms else levels - 1) for one in parts)

                return deeper(line.figure.term, 2)

            ids = ("ghg.scope1", "electricity.purchased", "air.nox", "waste_water")
            looks = {id: timed(lambda id=id: explain(id)) for id in ids}  # type: ignore[misc]
        store.close()
    rows = [("report of a year", *report), ("with the year before", *both), ("report of a month", *month)]
    rows += [(f"explain {id} to the day", *found) for id, found in looks.items()]
    shown = [(name, f"{first:.3f}", f"{median:.3f}") for name, first, median in rows]
    figures = {name.replace(" ", "_"): round(median, 3) for name, _, median in rows} | {"points": len(numbers)}
    show(
        "annual figures, a year of 300 points",
        ("what", "first s", "median s"),
        shown,
        figures | {"fill_s": round(filled, 1)},
    )


if __name__ == "__main__":
    main()
