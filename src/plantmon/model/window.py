"""This module says what a window is: what a point did in an hour or a day, never only the mean."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Window:
    """One closed hour (`1h`) or local day (`1d`) of one point, half-open [start, end).

    Gauges: `mean`, `minimum`, `maximum` of valid readings in the point's unit, None where nothing was valid;
    `lower_bound` is the mean with over-range readings at the range's end, None where there were none or too few
    minutes. Counters: `amount` in 1e-6 of the unit, None where the register is unknown on one side.
    `due`, `had`, `valid` count minutes (values for slow points) of an hour, hours of a day, and milliseconds for a
    counter. `ran` says when the source ran, None without a running condition: of an hour the mask of its minutes, bit
    n for minute n; of a day the number of hours. `estimated` (counters) has bit 1 where the window's start, bit 2
    where its end cuts through a gap of more than three intervals.
    """

    level: str
    start: int
    end: int
    point: int
    mean: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    lower_bound: float | None = None
    amount: int | None = None
    due: int = 0
    had: int = 0
    valid: int = 0
    readings: int = 0
    over_range: int = 0
    ran: int | None = None
    is_valid: bool = False
    estimated: int = 0


WINDOW_FIELDS = tuple(field.name for field in fields(Window))
