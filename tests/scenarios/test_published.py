"""This module holds what publishing promises: the same figures for good, and changes that are told."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from esg_store import HEAD, EsgStore, line_of
from hypothesis import given
from hypothesis import strategies as st

from plantmon.errors import DeclarationError
from plantmon.esg import document
from plantmon.esg.compare import compare
from plantmon.esg.freeze import Change, changes, publish, restate
from plantmon.model.metric import Coverage, Look, Term, TermKind
from plantmon.model.plant import Name
from plantmon.plant.load import load_plant_text
from plantmon.store import ledger, published
from plantmon.tables.metrics import catalogue_hash

PLANT = """
meters:
  E-MAIN: {quantity: electricity, unit: kWh, role: purchased, interval: 15min}
  LINE-1: {quantity: production, product: vehicle, unit: pcs, role: output, interval: 5min}
esg: {denominators: {vehicle: {quantity: production, product: vehicle}}}
"""


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[EsgStore]:
    """Give a plant with a year of power, vehicles and diesel."""
    store = EsgStore(tmp_path, PLANT)
    store.count("E-MAIN", 1000)
    store.count("LINE-1", 10)
    store.line("2020", "diesel", "100", "L")
    yield store
    store.close()


def publishes(plant: EsgStore, period: str = "2020") -> published.Published:
    """Publish a period."""
    return plant.write(lambda c: publish(c, plant.plant, plant.numbers, period, "li", plant.now_ms))


def restates(plant: EsgStore, reason: str = "a bill came late") -> tuple[published.Published, tuple[Change, ...]]:
    """Restate 2020."""
    return plant.write(lambda c: restate(c, plant.plant, plant.numbers, "2020", reason, "wang", plant.now_ms + 1))


def test_published_figures_stay(plant: EsgStore) -> None:
    """After more power, another line and another factor the published year reads the same, also as the year before."""
    before = plant.annual()
    kept = publishes(plant)
    assert kept.catalogue == catalogue_hash()
    plant.count("E-MAIN", 2000)
    plant.line("2020", "gasoline", "50", "L")
    factors = "{fuel.diesel.co2: {value: 9, unit: tCO2/t, source: another}}"
    plant.plant = load_plant_text(HEAD + PLANT.replace("esg: {", f"esg: {{factors: {factors}, "), "plant.yaml")
    after = plant.annual()
    assert after.published == f"2021-02-01 00:00:00 sha256:{kept.sha256}"
    assert after.lines == before.lines
    assert after.factors == before.factors
    later = plant.annual("2021", "2020", now="2022-02-01")
    previous = line_of(later, "electricity.purchased").previous
    assert previous is not None
    assert previous.value == 1000
    # A part of a published year is worked out now, with the year's factors.
    diesel = line_of(plant.annual("2020-Q1"), "diesel").figure
    assert diesel.value is None
    by_hand = Decimal(100) * Decimal("0.84") * Decimal("3.09591") / 1000
    assert line_of(after, "ghg.diesel").figure.value == by_hand
    plant.line("2020-02", "diesel", "100", "L")
    assert line_of(plant.annual("2020-Q1"), "ghg.diesel").figure.value == by_hand
    assert line_of(plant.annual("2021-Q1"), "ghg.diesel").figure.value is None


def test_the_document_names_everything(plant: EsgStore) -> None:
    """The hash is that of the document, which holds the figures, the ledger line's number and the factors."""
    kept = publishes(plant)
    text = plant.read(lambda c: published.document(c, kept.id))
    assert document.digest(text) == kept.sha256
    assert '"line:1"' in text
    assert '"fuel.diesel.co2"' in text
    assert '"1000.000000"' in text


def test_restatement(plant: EsgStore) -> None:
    """A late line changes nothing until it is restated; then old, new and reason stand, and the first report too."""
    first = publishes(plant)
    plant.line("2020", "diesel", "20", "L")
    assert line_of(plant.annual(), "diesel").figure.value == 100
    waiting = plant.read(lambda c: changes(c, plant.plant, plant.numbers, "2020", plant.now_ms))
    assert Change("diesel", "L", Decimal(100), Decimal(120)) in waiting
    kept, told = restates(plant)
    assert told == waiting
    assert {one.metric for one in told} >= {"diesel", "ghg.diesel", "ghg.scope1", "ghg.total", "energy.total"}
    assert "electricity.purchased" not in {one.metric for one in told}
    assert line_of(plant.annual(), "diesel").figure.value == 120
    listed = plant.read(lambda c: published.restatements(c, "2020"))
    (diesel,) = [one for one in listed if one.metric == "diesel"]
    assert (diesel.old, diesel.new) == (100, 120)
    assert (diesel.published.reason, diesel.published.by) == ("a bill came late", "wang")
    history = plant.read(lambda c: published.history(c, "2020"))
    assert [(one.id, one.supersedes) for one in history] == [(first.id, None), (kept.id, first.id)]


def test_a_restatement_keeps_the_factors(plant: EsgStore) -> None:
    """A factor that changed since is no reason to restate: the year keeps those it was published with."""
    publishes(plant)
    factors = "{fuel.diesel.co2: {value: 9, unit: tCO2/t, source: another}}"
    plant.plant = load_plant_text(HEAD + PLANT.replace("esg: {", f"esg: {{factors: {factors}, "), "plant.yaml")
    with pytest.raises(DeclarationError, match="nothing of 2020"):
        restates(plant)


def test_what_is_refused(plant: EsgStore) -> None:
    """Nothing is published twice, before it is over, or restated without having been published or without a reason."""
    with pytest.raises(DeclarationError, match="not over"):
        publishes(plant, "2021")
    with pytest.raises(DeclarationError, match="not published"):
        restates(plant)
    publishes(plant)
    with pytest.raises(DeclarationError, match="restate"):
        publishes(plant)
    with pytest.raises(DeclarationError, match="reason"):
        restates(plant, " ")


def test_rows_are_only_added(plant: EsgStore) -> None:
    """What was published is neither changed nor deleted."""
    publishes(plant)
    for statement in ("UPDATE published SET document = ''", "DELETE FROM published"):
        with pytest.raises(sqlite3.IntegrityError):
            plant.store._writer.execute(statement)  # type: ignore[union-attr]


def test_a_corrected_line_is_a_change(plant: EsgStore) -> None:
    """A ledger line that was corrected after publishing is a change of its metric."""
    publishes(plant)
    start, end = plant.plant.time.parse("2020-01-01"), plant.plant.time.parse("2021-01-01")
    new = ledger.NewLine("2020", start, end, "diesel", Decimal(90), "L", "90 L", "depot", "")
    plant.write(lambda c: ledger.add(c, new, "li", plant.now_ms, supersedes=1, reason="misread"))
    found = plant.read(lambda c: changes(c, plant.plant, plant.numbers, "2020", plant.now_ms))
    assert Change("diesel", "L", Decimal(100), Decimal(90)) in found


TERMS = st.recursive(
    st.builds(
        Term,
        st.sampled_from(TermKind),
        st.builds(Name, st.text(max_size=5), st.text(max_size=5)),
        st.none() | st.decimals(allow_nan=False, allow_infinity=False),
        st.text(max_size=5),
        look=st.none() | st.builds(Look, st.sampled_from(TermKind), st.text(max_size=5), st.integers(), st.integers()),
        notes=st.lists(st.text(max_size=5), max_size=2).map(tuple),
    ),
    lambda parts: st.builds(
        Term, st.sampled_from(TermKind), st.just(Name("a", "b")), st.none(), st.just("t"),
        st.lists(parts, max_size=3).map(tuple),
    ),
    max_leaves=8,
)  # fmt: skip


@given(TERMS)
def test_a_document_reads_back(term: Term) -> None:
    """Any derivation comes back from its text as it was, digit for digit, and its text is the same again."""
    text = document.write(term)
    again = document.read(Term, text)
    assert again == term
    assert document.write(again) == text
    assert document.read(Coverage, document.write(Coverage(0.1, 0.2, 0.3, 0.4))) == Coverage(0.1, 0.2, 0.3, 0.4)


def test_before_and_after(plant: EsgStore) -> None:
    """March took 31 kWh a day for 1 vehicle, May 20 for 1: 11 kWh a vehicle are saved, on 31 vehicles 341 kWh."""
    plant.count_days("E-MAIN", [31_000_000] * 31, "2020-03-01")
    plant.count_days("LINE-1", [1_000_000] * 31, "2020-03-01")
    plant.count_days("E-MAIN", [20_000_000] * 31, "2020-05-01")
    plant.count_days("LINE-1", [1_000_000] * 31, "2020-05-01")
    days = (date(2020, 3, 1), date(2020, 3, 31)), (date(2020, 5, 1), date(2020, 5, 31))
    for subject in ("electricity.purchased", "E-MAIN"):
        with plant.store.readers.snapshot() as connection:
            found = compare(connection, plant.plant, plant.numbers, subject, *days, "vehicle", plant.now_ms)
        assert (found.before.value, found.after.value) == (961, 620)
        assert (found.before_per, found.after_per, found.saved) == (31, 20, 341)
        assert found.change == Decimal(-11) / Decimal(31)
    alone = plant.read(lambda c: compare(c, plant.plant, plant.numbers, "E-MAIN", *days, None, plant.now_ms))
    assert (alone.saved, alone.denominator) == (341, None)


@pytest.mark.parametrize(
    ("subject", "per", "days", "said"),
    [
        ("E-NONE", "vehicle", (date(2020, 3, 1), date(2020, 3, 2)), "no metric or point E-NONE"),
        ("E-MAIN", "engine", (date(2020, 3, 1), date(2020, 3, 2)), "no denominator engine"),
        ("E-MAIN", None, (date(2020, 3, 2), date(2020, 3, 1)), "ends before it begins"),
    ],
)
def test_comparisons_that_cannot_be(
    plant: EsgStore, subject: str, per: str | None, days: tuple[date, date], said: str
) -> None:
    """A subject, denominator or span that there is not is told of."""
    with pytest.raises(DeclarationError, match=said):
        plant.read(lambda c: compare(c, plant.plant, plant.numbers, subject, days, days, per, plant.now_ms))
