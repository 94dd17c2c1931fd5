"""This module proves how the tax is gathered from a store: amounts of days, means of verdicts, hours of pH."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from builders import a_limit, a_plant, a_point, an_outlet

from plantmon.esg.taxes import tax_of, taxes
from plantmon.model.emission import EmissionDay
from plantmon.model.plant import Plant
from plantmon.model.verdict import Outcome, Reason, Verdict
from plantmon.model.window import Window
from plantmon.store import emissions, points, verdicts, windows
from plantmon.store.database import Store
from plantmon.times import DAY_MS, HOUR_MS, PlantTime

TIME = PlantTime(ZoneInfo("Asia/Shanghai"))
FEBRUARY, MARCH, APRIL = (TIME.midnight(date(2020, month, 1)) for month in (2, 3, 4))

NOX = a_point("DA001.nox")
PM = a_point("DA001.pm", quantity="pm")
NMHC = a_point("DA001.nmhc", quantity="nmhc")
COD = a_point("DW001.cod", quantity="cod", unit="mg/L", interval_ms=HOUR_MS)
PH = a_point("DW001.ph", quantity="ph", unit="pH")
FLOW = a_point("DW001.flow", quantity="water_flow", unit="m3/h")
POINTS = (NOX, PM, NMHC, COD, PH, FLOW)
NOX_LIMIT = a_limit(NOX, key="nox")
COD_LIMIT = a_limit(COD, key="cod", window="1d", maximum=100.0, unit="mg/L")


def _plant(**water: object) -> Plant:
    """Give a stack of fuel and a water outlet, with a limit each."""
    stack = an_outlet("DA001", (NOX, PM, NMHC), tax_pm="smoke")
    works = an_outlet("DW001", (COD, PH, FLOW), **{"kind": "water", "discharge": "direct"} | water)
    return a_plant(POINTS, (NOX_LIMIT, COD_LIMIT), outlets={"DA001": stack, "DW001": works})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open a store in a folder."""
    opened = Store(tmp_path / "plantmon.db")
    yield opened
    opened.close()


def _numbers(store: Store, plant: Plant) -> dict[str, int]:
    return store.write(lambda connection: points.register_points(connection, plant, MARCH))


def _day(number: int, start: int, measured: float, substituted: float = 0.0, **more: int) -> EmissionDay:
    return EmissionDay(
        number, start, start + DAY_MS, measured, substituted, more.get("ran", 1440), more.get("stood_in", 0),
        more.get("unknown", 0), False, False,
    )  # fmt: skip


def _hours(key: str, values: list[float], start: int = MARCH, outcome: Outcome = Outcome.OK) -> list[Verdict]:
    return [
        Verdict(key, start + place * HOUR_MS, start + (place + 1) * HOUR_MS, outcome, None, value, 50.0)
        for place, value in enumerate(values)
    ]


def _of(store: Store, plant: Plant, numbers: dict[str, int], start: int = MARCH, end: int = APRIL) -> dict[str, object]:
    with store.readers.snapshot() as connection:
        year = tax_of(connection, plant, numbers, start, end)
    return {line.release.pollutant: line for line in year.lines} | {"year": year}


def test_a_month_from_the_store(store: Store) -> None:
    """March: NOx 10.1 + 5.3 and 4.1 kg, of them 5.3 stood in; means 20 and 24 against 50: 19.5 / 0.95 x 2.4 / 2 CNY.

    A day of February and one of April stay out; so does an hour not judged. Waste water has a day of 90 kg COD at
    80 mg/L against 100: 90 x 3 = 270 CNY, nothing lowered.
    """
    plant = _plant()
    numbers = _numbers(store, plant)
    nox, cod = numbers["DA001.nox"], numbers["DW001.cod"]
    silent = Verdict("nox", MARCH + 9 * HOUR_MS, MARCH + 10 * HOUR_MS, Outcome.NOT_JUDGED, Reason.MINUTES)

    def fill(connection: object) -> None:
        days = [_day(nox, MARCH - DAY_MS, 1000.0), _day(nox, MARCH, 10.1, 5.3, stood_in=300), _day(nox, APRIL, 1000.0)]
        days += [_day(nox, APRIL - DAY_MS, 4.1), _day(cod, MARCH, 90.0)]
        emissions.write_days(connection, days)
        water = Verdict("cod", MARCH, MARCH + DAY_MS, Outcome.OK, None, 80.0, 100.0)
        verdicts.write_changed(connection, [*_hours("nox", [20.0, 24.0]), silent, water], MARCH)

    store.write(fill)
    found = _of(store, plant, numbers)
    line = found["nox"]
    assert line.release.kg == Decimal("19.5")
    assert (line.release.mean, line.release.limit, line.reason) == (22, 50, "lowered")
    assert line.cny == Decimal("19.5") / Decimal("0.95") * Decimal("2.4") / 2
    assert line.release.notes == ("substituted",)
    assert line.release.coverage.substituted == pytest.approx(2 / 31 * 300 / 2880)
    assert line.release.coverage.missing == pytest.approx(29 / 31)
    assert (found["cod"].cny, found["cod"].reason) == (270, "not_low_enough")
    assert found["pm.smoke"].reason == "not_measured"
    assert found["year"].notes[2:] == ("not_taxable:nmhc", "incomplete")


def test_an_exceeding_hour_takes_the_reduction(store: Store) -> None:
    """One hour over the limit in March blocks both outlets in March; April is lowered again."""
    plant = _plant()
    numbers = _numbers(store, plant)

    def fill(connection: object) -> None:
        for start in (MARCH, APRIL):
            emissions.write_days(
                connection, [_day(numbers["DA001.nox"], start, 0.95), _day(numbers["DW001.cod"], start, 1.0)]
            )
            day = Verdict("cod", start, start + DAY_MS, Outcome.OK, None, 10.0, 100.0)
            verdicts.write_changed(connection, [*_hours("nox", [10.0, 10.0], start), day], start)
        verdicts.write_changed(connection, _hours("nox", [51.0], MARCH + DAY_MS, Outcome.EXCEED), MARCH)

    store.write(fill)
    with store.readers.snapshot() as connection:
        march, april = taxes(connection, plant, numbers, [MARCH, APRIL, TIME.midnight(date(2020, 5, 1))])
    reasons = [{line.release.pollutant: line.reason for line in one.lines} for one in (march, april)]
    assert (reasons[0]["nox"], reasons[0]["cod"]) == ("exceeded", "exceeded_elsewhere")
    assert (reasons[1]["nox"], reasons[1]["cod"]) == ("lowered", "lowered")
    assert (march.cny(), april.cny()) == (Decimal("5.4"), Decimal("2.7"))


def test_indirect_discharge_owes_nothing(store: Store) -> None:
    """Waste water to a municipal plant is not taxed; an outlet that does not say is taxed, and says so."""
    numbers = _numbers(store, _plant())
    store.write(lambda connection: emissions.write_days(connection, [_day(numbers["DW001.cod"], MARCH, 90.0)]))
    assert _of(store, _plant(discharge="indirect"), numbers)["cod"].cny == 0
    unsaid = _of(store, _plant(discharge=None), numbers)["cod"]
    assert (unsaid.cny, unsaid.release.notes) == (270, ("discharge_unsaid",))


def test_an_unknown_month_is_not_zero(store: Store) -> None:
    """Days of which nothing is known give no amount; days that stood still give none to tax, and are known."""
    plant = _plant()
    numbers = _numbers(store, plant)
    nox, pm = numbers["DA001.nox"], numbers["DA001.pm"]
    days = [_day(nox, MARCH, 0.0, unknown=1440), _day(pm, MARCH, 0.0, ran=0)]
    store.write(lambda connection: emissions.write_days(connection, days))
    found = _of(store, plant, numbers)
    assert (found["nox"].reason, found["nox"].cny) == ("not_measured", None)
    assert found["pm.smoke"].cny == 0


def test_hours_of_acid_water(store: Store) -> None:
    """Two valid hours outside 6 to 9: 40 t at 5.5 (8 equivalents) and 10 t at 9.4 (10); 18 x 3 = 54 CNY.

    An hour within, one that is not valid, and one whose flow nobody knows add nothing; the last one is noted.
    """
    plant = _plant()
    numbers = _numbers(store, plant)
    values = [
        (5.5, 40.0, True),
        (7.0, 40.0, True),
        (9.4, 10.0, True),
        (3.0, 40.0, False),
        (5.0, None, True),
        (6.0, 5.0, True),
    ]

    def window(point: str, place: int, mean: float | None, *, is_valid: bool = True) -> Window:
        start = MARCH + place * HOUR_MS
        return Window("1h", start, start + HOUR_MS, numbers[point], mean, mean, mean, is_valid=is_valid)

    rows = [window("DW001.ph", place, ph, is_valid=valid) for place, (ph, _, valid) in enumerate(values)]
    rows += [window("DW001.flow", place, flow) for place, (_, flow, _) in enumerate(values) if flow is not None]
    store.write(lambda connection: windows.write(connection, rows))
    line = _of(store, plant, numbers)["ph"]
    assert (line.equivalents, line.cny) == (18, 54)
    assert line.release.notes == ("unknown_flow",)


def test_every_month_touched_is_whole(store: Store) -> None:
    """A span that begins and ends within months gives whole months, in order."""
    plant = _plant()
    year = _of(store, plant, _numbers(store, plant), MARCH - 3 * DAY_MS, MARCH + 3 * DAY_MS)["year"]
    spans = {(line.release.month, line.release.start_ms, line.release.end_ms) for line in year.lines}
    assert spans == {("2020-02", FEBRUARY, MARCH), ("2020-03", MARCH, APRIL)}
