"""This module checks what a plant file says of the annual figures: factors, regions, rates, metrics, ledger items."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from plantmon import units
from plantmon.errors import UnitError
from plantmon.plant import schema
from plantmon.plant.fitting import check_period, overlap, say
from plantmon.plant.problems import Problems
from plantmon.plant.values import Amount
from plantmon.tables import ledger
from plantmon.tables.factor_units import ratio, read
from plantmon.tables.factors import GWP, OWN, ids, regions, rows, unit_of
from plantmon.tables.metrics import catalogue, find
from plantmon.tables.tax import rates

GRID = "grid.location"


def check_esg(esg: schema.Esg, problems: Problems) -> None:
    """Note factors, regions, rates, metrics and ledger items that lead nowhere, or whose units do not fit."""
    for id, factor in esg.factors.items():
        _check_factor(id, factor, problems)
    _check_grid(esg, problems)
    _check_tax(esg.tax, problems)
    for denominator in esg.denominators.values():
        _check_item(denominator, problems)
    for target in esg.targets:
        check_target(target, problems, esg.metrics)


def _check_factor(id: str, factor: schema.Factor, problems: Problems) -> None:
    """Note a factor nobody knows or of another thing's unit; new gases and the plant's own (`own.`) are free."""
    if id not in ids() and not id.startswith((GWP, OWN)):
        say(problems, factor, None, "no_such_factor", given=id, allowed=ids())
        return
    unit = unit_of(id)
    try:
        if unit is None:
            read(factor.unit)
        else:
            ratio(factor.unit, unit)
    except UnitError:
        say(problems, factor, "unit", "unit_of_factor", unit=factor.unit, id=id, fitting=unit or "kg/m3")


def _check_grid(esg: schema.Esg, problems: Problems) -> None:
    """Note a region or a data year that no grid factor is of; a plant with its own needs neither."""
    grid = esg.grid_factor
    if GRID in esg.factors or grid.path() in problems.damaged:
        return
    if grid.region not in regions():
        say(problems, grid, "region", "no_such_region", given=grid.region, allowed=regions())
        return
    if grid.data_year is not None:
        own = [row.factor for row in rows() if row.id == GRID and row.factor is not None]
        years = tuple(one.data_year for one in own if one.region == grid.region)
        if str(grid.data_year) not in years:
            say(problems, grid, "data_year", "no_such_data_year", year=grid.data_year, region=grid.region, known=years)


def _check_tax(tax: schema.EsgTax, problems: Problems) -> None:
    known = tuple(dict.fromkeys(rate.region for rate in rates()))
    if tax.region not in known and not (tax.air or tax.water):
        say(problems, tax, "region", "no_such_region", given=tax.region, allowed=known)
    for some in (tax.air, tax.water):
        for rate in some:
            check_period(problems, rate)
        for one, other in itertools.combinations(some, 2):
            if overlap(one, other):
                say(problems, other, None, "rates_overlap", other=one.line())


def _check_item(denominator: schema.Denominator, problems: Problems) -> None:
    """Note a denominator of no ledger item, or in a unit its item is not counted in."""
    if denominator.ledger is None or denominator.path() in problems.damaged:
        return
    item = ledger.find(denominator.ledger)
    if item is None:
        say(problems, denominator, "ledger", "no_such_item", given=denominator.ledger, allowed=_items())
    elif denominator.unit is not None and item.units:
        dimensions = {units.dimension(unit) for unit in (*item.units, *item.across)}
        if units.dimension(denominator.unit) not in dimensions:
            say(problems, denominator, "unit", "dimension", unit=denominator.unit, fitting=item.units)


def _items() -> tuple[str, ...]:
    return tuple(ledger.ledger_items())


def check_target(target: schema.Target, problems: Problems, own: Mapping[str, schema.OwnMetric]) -> None:
    """Note a target of a metric that neither the catalogue nor the file has, or in a unit of another thing."""
    if target.metric in own:
        unit = own[target.metric].unit
    else:
        metric = find(target.metric)
        if metric is None:
            known = (*own, *(one.id for one in catalogue()))
            say(problems, target, "metric", "no_such_metric", given=target.metric, allowed=known)
            return
        unit = metric.unit
    for key, amount in (("max", target.max), ("min", target.min)):
        _check_bound(target, key, amount, unit, problems)


def _check_bound(target: schema.Target, key: str, amount: Amount | None, unit: str, problems: Problems) -> None:
    """Note a target in a unit of another thing; a bare number is in the metric's own."""
    if amount is None or amount.unit is None:
        return
    try:
        ratio(amount.unit, unit)
    except UnitError:
        say(problems, target, key, "unit_of_metric", unit=amount.unit, metric=target.metric, fitting=unit)
