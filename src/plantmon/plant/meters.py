"""This module checks the meters and their balances: registers, ratios over time, and who stands above whom."""

from __future__ import annotations

import itertools

from plantmon import units
from plantmon.averages.blend import Blend, parse_blend
from plantmon.errors import FormulaError
from plantmon.plant import schema
from plantmon.plant.compile import PER_HOUR, amount_unit, is_rate_unit, rate_unit
from plantmon.plant.document import Mapping
from plantmon.plant.fitting import check_amount, check_period, check_rate, check_unit, names_in, overlap, say
from plantmon.plant.problems import Problems
from plantmon.tables.load import quantities


def check_meters(file: schema.File, document: Mapping, problems: Problems) -> None:
    """Note what is wrong with the meters: quantities, units, registers, products, parents."""
    for meter_id, meter in file.meters.items():
        if "meter" not in quantities()[meter.quantity].places:
            own = tuple(name for name, other in quantities().items() if "meter" in other.places)
            say(problems, meter, "quantity", "foreign_quantity", quantity=meter.quantity, kind="meter", fitting=own)
        elif is_rate_unit(meter):
            _check_rate_unit(meter, problems)
        else:
            check_unit(problems, meter)
            if meter.kind == "rate" and rate_unit(meter) is None:
                say(problems, meter, "kind", "no_rate_unit", unit=meter.unit)
        if meter.interval is None and meter.formula is None and meter.path() not in problems.damaged:
            say(problems, meter, None, "needs_interval")
        _check_register(meter, problems)
        _check_product(meter, problems)
        if meter.parent is not None:
            _check_parent(file, meter_id, meter, names_in(document, "meters"), problems)
    _check_blends(file, names_in(document, "meters"), problems)


def _check_rate_unit(meter: schema.Meter, problems: Problems) -> None:
    """Note a rate in a unit of another thing than the quantity's: kW for electricity, m3/h for gas."""
    bases = {units.dimension(unit) for unit in quantities()[meter.quantity].units}
    if units.dimension(meter.unit).removesuffix(PER_HOUR) not in bases:
        fitting = tuple(unit for base in sorted(bases) for unit in units.units_of(base + PER_HOUR))
        say(problems, meter, "unit", "unit_of_quantity", unit=meter.unit, quantity=meter.quantity, fitting=fitting)


def _check_blends(file: schema.File, known: tuple[str, ...], problems: Problems) -> None:
    """Note formulas of virtual meters that are none, that add what cannot be added, or that run in a circle."""
    blends: dict[str, Blend] = {}
    for meter_id, meter in file.meters.items():
        if meter.formula is None:
            continue
        for key in ("kind", "ratio", "wraps_at", "max_rate"):
            if key in meter.model_fields_set and not (key == "kind" and meter.kind == "counter"):
                say(problems, meter, key, "not_of_virtual")
        try:
            blend = parse_blend(meter.formula)
        except FormulaError as error:
            say(problems, meter, "formula", error.key, **error.values)
            continue
        blends[meter_id] = blend
        for part in blend.parts:
            other = file.meters.get(part)
            if other is None and part not in known:
                say(problems, meter, "formula", "no_such_meter", given=part, allowed=known)
            elif other is not None and units.dimension(amount_unit(other)) != units.dimension(meter.unit):
                say(problems, meter, "formula", "blend_unit", part=part, unit=other.unit, own=meter.unit)
    for meter_id in blends:
        way = _way_back(meter_id, blends)
        if way and meter_id == min(way, key=lambda one: file.meters[one].line()):
            say(problems, file.meters[meter_id], "formula", "formula_circle", line=" - ".join([*way, meter_id]))


def _way_back(meter_id: str, blends: dict[str, Blend]) -> list[str]:
    """Give the meters on the way from a virtual one through formulas back to itself; empty where there is none."""
    before: dict[str, str] = {}
    waiting = [meter_id]
    while waiting:
        at = waiting.pop(0)
        for part in blends[at].parts:
            if part == meter_id:
                way = [at]
                while way[0] != meter_id:
                    way.insert(0, before[way[0]])
                return way
            if part in blends and part not in before:
                before[part] = at
                waiting.append(part)
    return []


def _check_register(meter: schema.Meter, problems: Problems) -> None:
    unit = amount_unit(meter)
    wraps_at = check_amount(problems, meter, "wraps_at", meter.wraps_at, unit)
    if wraps_at is not None and meter.kind != "counter":
        say(problems, meter, "wraps_at", "only_for_counter")
    if wraps_at is not None and wraps_at <= 0:
        say(problems, meter, "wraps_at", "not_positive", given=f"{wraps_at:.12g}")
    max_rate = check_rate(problems, meter, "max_rate", meter.max_rate, unit)
    if max_rate is not None and max_rate <= 0:
        say(problems, meter, "max_rate", "not_positive", given=f"{max_rate:.12g}")
    for ratio in meter.ratio:
        check_period(problems, ratio)
    for one, other in itertools.combinations(meter.ratio, 2):
        if overlap(one, other):
            say(problems, other, None, "ratios_overlap", other=one.line())


def _check_product(meter: schema.Meter, problems: Problems) -> None:
    is_production = meter.quantity == "production"
    if is_production and meter.product is None and meter.path() not in problems.damaged:
        say(problems, meter, None, "needs_product")
    if meter.product is not None and not is_production:
        say(problems, meter, "product", "only_for_quantity", quantity="production")
    if meter.state is not None and meter.quantity not in ("natural_gas", "compressed_air"):
        say(problems, meter, "state", "only_for_quantity", quantity="natural_gas, compressed_air")


def _check_parent(
    file: schema.File, meter_id: str, meter: schema.Meter, known: tuple[str, ...], problems: Problems
) -> None:
    parent = file.meters.get(meter.parent or "")
    if parent is None:
        if meter.parent not in known:
            say(problems, meter, "parent", "no_such_meter", given=meter.parent, allowed=known)
        return
    if parent.quantity != meter.quantity:
        say(problems, meter, "parent", "parent_quantity", own=meter.quantity, other=parent.quantity)
    line = _line_of_parents(file, meter_id)
    if line[-1] == meter_id and meter_id == min(line, key=lambda id: file.meters[id].line()):
        say(problems, meter, "parent", "parent_cycle", line=" - ".join(line))


def _line_of_parents(file: schema.File, meter_id: str) -> list[str]:
    """Give a meter's parents upwards, to the top or to the first that comes again."""
    line = [meter_id]
    while (meter := file.meters.get(line[-1])) is not None and meter.parent in file.meters:
        assert meter.parent is not None
        line.append(meter.parent)
        if meter.parent in line[:-1]:
            break
    return line


def check_balances(file: schema.File, document: Mapping, problems: Problems) -> None:
    """Note balances without a parent that has children, of one twice, or with what cannot be added or compared."""
    known = names_in(document, "meters")
    first: dict[str, schema.Balance] = {}
    for balance in file.balances:
        other = first.setdefault(balance.parent, balance)
        if other is not balance:
            say(problems, balance, "parent", "balance_twice", parent=balance.parent, other=other.line())
        parent = file.meters.get(balance.parent)
        if parent is None:
            if balance.parent not in known:
                say(problems, balance, "parent", "no_such_meter", given=balance.parent, allowed=known)
            continue
        if not any(meter.parent == balance.parent for meter in file.meters.values()) and len(known) == len(file.meters):
            say(problems, balance, "parent", "no_children", parent=balance.parent)
        check_rate(problems, balance, "night_minimum", balance.night_minimum, amount_unit(parent))
        _check_addable(file, balance, parent, problems)


def _check_addable(file: schema.File, balance: schema.Balance, parent: schema.Meter, problems: Problems) -> None:
    """Note children that count in another dimension than their parent, such as steam in t and in GJ."""
    for meter_id, meter in file.meters.items():
        is_child = meter.parent == balance.parent and meter.quantity == parent.quantity
        if is_child and units.dimension(amount_unit(meter)) != units.dimension(amount_unit(parent)):
            say(problems, balance, "parent", "balance_unit", child=meter_id, unit=meter.unit, other=parent.unit)
