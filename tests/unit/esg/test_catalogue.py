"""This module holds the catalogue of metrics: names, derivations that can be read, codes."""

from __future__ import annotations

import pytest

from plantmon.errors import DerivationError
from plantmon.tables.derivation import Combined, Source, metrics_named, parse, sources
from plantmon.tables.factors import ids
from plantmon.tables.ledger import find
from plantmon.tables.load import quantities
from plantmon.tables.metrics import catalogue, member

# Settled choices, Names; energy.share is one a carrier.
NAMED = set(
    """
electricity.purchased electricity.generated water.purchased natural_gas gasoline diesel steel packing.wood packing.paper
packing.iron waste.domestic waste.wood waste.hazardous air.nox air.so2 air.pm air.vocs water.cod water.ammonia_nitrogen
water.total_nickel water.total_zinc water.phosphate water.tss waste_water ghg.scope1 ghg.scope2.location
ghg.scope2.market ghg.total energy.total energy.share.electricity energy.share.natural_gas energy.share.diesel
production.* energy.per_output ghg.avoided tax.total training.sessions training.hours training.people incidents
""".split()  # noqa: SIM905 - words read better than their quotes
)


def test_settled_names() -> None:
    """Every metric that was agreed on is there under its name, once."""
    names = [metric.id for metric in catalogue()]
    assert len(names) == len(set(names))
    assert set(names) >= NAMED


@pytest.mark.parametrize("metric", catalogue(), ids=lambda metric: metric.id)
def test_derivations_lead_somewhere(metric: object) -> None:
    """Each derivation can be read, and names metrics, ledger items, quantities and factors that there are."""
    one = metric if not metric.id.endswith("*") else member(metric, "vehicle")  # type: ignore[attr-defined]
    names = {other.id for other in catalogue()}
    for source in sources(parse(one.derive)):  # type: ignore[attr-defined]
        first = source.arguments[0] if source.arguments else ""
        match source.name:
            case "metric":
                assert first in names
            case "ledger":
                assert find(first) is not None
            case "factor":
                assert first in ids()
            case "meters":
                assert first in quantities()
            case "emissions":
                assert source.arguments[1] in quantities()


@pytest.mark.parametrize("metric", catalogue(), ids=lambda metric: metric.id)
def test_no_circles(metric: object) -> None:
    """No metric is derived from itself."""
    named = {one.id: metrics_named(parse(one.derive)) for one in catalogue()}
    reached, todo = set(), list(named[metric.id])  # type: ignore[attr-defined]
    while todo:
        one = todo.pop()
        if one not in reached:
            reached.add(one)
            todo += named[one]
    assert metric.id not in reached  # type: ignore[attr-defined]


def test_the_language() -> None:
    """Operators nest as written; names and quoted texts are arguments."""
    found = parse("sum(ledger(diesel), each('refrigerant.*', 'gwp.*')) * factor(fuel.diesel.co2)")
    assert found == Combined(
        "product",
        (
            Combined("sum", (Source("ledger", ("diesel",)), Source("each", ("refrigerant.*", "gwp.*")))),
            Source("factor", ("fuel.diesel.co2",)),
        ),
    )


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("ledger(diesel", "derive_syntax"),
        ("__import__('os')", "derive_part"),
        ("diesel", "derive_part"),
        ("12", "derive_part"),
        ("ledger(diesel) ** 2", "derive_part"),
        ("ledger()", "derive_count"),
        ("ledger(a, b)", "derive_count"),
        ("ledger(1)", "derive_word"),
        ("first(ledger(diesel))", "derive_count"),
        ("when(always, ledger(diesel))", "derive_rule"),
        ("ledger(diesel)" + " " * 2000, "derive_long"),
    ],
)
def test_what_is_no_derivation(text: str, key: str) -> None:
    """What the language does not have is refused, with the sentence that says so."""
    with pytest.raises(DerivationError) as told:
        parse(text)
    assert told.value.key == key
