"""This module holds what is checked of a plant's own metrics when its file is loaded."""

from __future__ import annotations

import pytest

from plantmon.errors import PlantFileError
from plantmon.plant.load import load_plant_text

HEAD = "plant: {id: p, name: P, timezone: Asia/Shanghai}\nesg:\n  metrics:\n"


def _metric(derive: str, id: str = "own.one") -> str:
    return f'    {id}: {{name: One, unit: t, derive: "{derive}"}}\n'


def test_an_own_metric_loads() -> None:
    """Titles, unit, derivation and codes come through; one text is the name in both languages."""
    text = "    own.one: {name: One, unit: t, derive: ledger(steel), decimals: 3, codes: {gri: GRI 301-1},"
    text += " intensive: false}\n"
    (metric,) = load_plant_text(HEAD + text, "p").esg.metrics
    assert (metric.id, metric.name.zh, metric.decimals, metric.codes) == ("own.one", "One", 3, {"gri": "GRI 301-1"})
    assert not metric.is_intensive


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (_metric("ledger(steel"), "is no derivation"),
        (_metric("steel"), "cannot stand in a derivation"),
        (_metric("metric(no.such)"), "no.such is no metric"),
        (_metric("metric(own.two)") + _metric("metric(own.one)", "own.two"), "derived from itself"),
        (_metric("ledger(steel)", "Own One"), "cannot be a metric's id"),
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    """A derivation that cannot be read, leads nowhere or in a circle, and an id that is none, are told."""
    with pytest.raises(PlantFileError) as error:
        load_plant_text(HEAD + text, "p")
    assert said in "\n".join(error.value.problems)
