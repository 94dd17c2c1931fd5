"""This module puts outlets, limits and figures of reports into words, also those that left the plant file since."""

from __future__ import annotations

from plantmon.model.plant import Basis, Limit, Plant, Point
from plantmon.notify.wording import exact, shown_unit, window
from plantmon.reports.document import Scope
from plantmon.tables.load import quantities

DIGITS = 5  # significant ones a page shows; figures for programs keep theirs
MOST_DIGITS = 12


def figure(value: float, bound: float | None = None, digits: int = DIGITS) -> str:
    """Write a number without exponent, its digits or its whole part; more where fewer would look like the bound.

    >>> figure(78.437219), figure(1234567.8), figure(60.000002, 60.0), figure(0.0)
    ('78.437', '1234568', '60.000002', '0')
    """
    whole = len(str(abs(int(value))))
    for many in range(max(digits, whole), MOST_DIGITS + 1):
        rounded = float(f"{value:.{many}g}")
        if bound is None or value == bound or rounded != bound:
            break
    return exact(rounded)


def outlet_name(plant: Plant, outlet: str, language: str) -> str:
    """Give an outlet's name; nothing where the plant file no longer has it."""
    found = plant.outlets.get(outlet)
    return found.name.in_language(language) if found else ""


def point_name(point: Point | None, subject: str, language: str) -> str:
    """Name what a point measures; its quantity's name where the plant file gives it none of its own."""
    if point is None:
        quantity = quantities().get(subject)
        return quantity.name.in_language(language) if quantity else subject
    return point.name.in_language(language)


def limit_subject(scope: Scope, limit: Limit, points: dict[str, Point]) -> str:
    """Name what a limit is on, with its basis where that is an amount, a rate or an interlock."""
    point = points.get(limit.point)
    name = point_name(point, limit.subject, scope.language)
    if point is not None and quantities()[point.quantity].has_several:
        name = scope.say("basis.several", name=name, point=limit.subject)
    if limit.basis in (Basis.RATE, Basis.MASS, Basis.INTERLOCK):
        return scope.say(f"basis.{limit.basis}", name=name)
    return name


def limit_window(scope: Scope, limit: Limit) -> str:
    """Name the window of a limit, and what of it is judged."""
    if limit.basis is Basis.MASS:
        return scope.say(f"amount_of.{limit.window}")
    if limit.unit == "pH" and limit.window == "1h":
        return scope.say("median_of.1h")
    return window(limit.window, scope.language)


def limit_bounds(limit: Limit) -> str:
    """Write what a limit allows: `≤ 50`, `≥ 760`, `6–9`, with its unit."""
    unit = shown_unit(limit.unit) or ""
    if limit.maximum is not None and limit.minimum is not None:
        words = f"{exact(limit.minimum)}–{exact(limit.maximum)}"
    elif limit.maximum is not None:
        words = f"≤ {exact(limit.maximum)}"
    else:
        words = f"≥ {exact(limit.minimum or 0.0)}"
    return words if limit.unit == "pH" else f"{words} {unit}"


def percent(share: float | None) -> float | None:
    """Give a share as per cent with two decimals, None for None.

    >>> percent(0.85714)
    85.71
    """
    return None if share is None else round(100 * share, 2)
