"""This module proves that the ledger is kept for good, that nothing counts twice, and that files are taken whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plantmon.errors import DeclarationError
from plantmon.ledger import take
from plantmon.plant.load import load_plant
from plantmon.store import ledger
from plantmon.store.database import Store, transaction
from plantmon.store.waste import waste_stock
from plantmon.times import DAY_MS

PLANT = load_plant(Path(__file__).parents[1] / "contract" / "plant.yaml")
TIME = PLANT.time
NOW = TIME.midnight(date(2022, 1, 1))
ALWAYS = TIME.midnight(date(1990, 1, 1))
Cells = dict[str, str]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Give an empty store inside a transaction."""
    store = Store(tmp_path / "plantmon.db")
    assert store._writer is not None
    with transaction(store._writer) as writer:
        yield writer
    store.close()


def cells(
    period: str, value: str, item: str = "diesel", unit: str = "L", source: str = "book", note: str = ""
) -> Cells:
    """Give a line's cells."""
    return {"period": period, "item": item, "value": value, "unit": unit, "source": source, "note": note}


def take_in(connection: sqlite3.Connection, *lines: Cells, file: str = "f.csv", dry: bool = False) -> dict[str, Any]:
    """Import lines as a file whose first one is its line 2."""
    rows = [{"line": number, "cells": one, "extra": ""} for number, one in enumerate(lines, 2)]
    body = {"file": file, "sha256": "0" * 64, "rows": rows, "dry": dry, "language": "en"}
    return take.import_file(connection, PLANT, {}, body, "Li", NOW)


def add(connection: sqlite3.Connection, one: Cells) -> int:
    """Enter a line."""
    number: int = take.add(connection, PLANT, {}, {"cells": one, "language": "en"}, "Li", NOW)["id"]
    return number


def correct(connection: sqlite3.Connection, number: int, **changes: str) -> int:
    """Correct a line."""
    body = {"id": number, "cells": changes, "reason": "typing mistake", "language": "en"}
    entered: int = take.correct(connection, PLANT, {}, body, "Wang", NOW + 1)["id"]
    return entered


def withdraw(connection: sqlite3.Connection, number: int) -> int:
    """Withdraw a line."""
    body = {"id": number, "reason": "of another plant", "language": "en"}
    entered: int = take.withdraw(connection, PLANT, {}, body, "Wang", NOW + 1)["id"]
    return entered


def counting(connection: sqlite3.Connection) -> list[tuple[str, str, str, str]]:
    """Give the lines that count: period, item, value, source."""
    lines = ledger.standing(connection, ALWAYS, NOW)
    return [(one.period, one.item, ledger.plain(one.value), one.source) for one in lines]


@pytest.mark.parametrize("table", ["ledger", "ledger_file"])
@pytest.mark.parametrize("change", ["UPDATE {} SET by = 'x'", "DELETE FROM {}"], ids=["update", "delete"])
def test_lines_stay(connection: sqlite3.Connection, table: str, change: str) -> None:
    """Nobody changes or deletes a line or a file that was taken in."""
    take_in(connection, cells("2020-01", "5"))
    with pytest.raises(sqlite3.IntegrityError, match="ledger is added to"):
        connection.execute(change.format(table))


def test_a_line_is_kept_whole(connection: sqlite3.Connection) -> None:
    """A line gives back what was written, its exact value, its span, who entered it when, and its place in the file."""
    take_in(connection, cells("2020-02-14", "86,964,000.15", unit="L", note="winter"), file="贮油.csv")
    (line,) = ledger.standing(connection, ALWAYS, NOW)
    start = TIME.midnight(date(2020, 2, 14))
    assert line == ledger.LedgerLine(
        id=1, period="2020-02-14", start_ms=start, end_ms=start + DAY_MS, item="diesel", value=Decimal("86964000.15"),
        unit="L", written="86,964,000.15 L", source="book", note="winter", by="Li", entered_ms=NOW, supersedes=None,
        file="贮油.csv", line=2, sha256="0" * 64, reason="", below=None,
    )  # fmt: skip


def test_lines_of_a_span(connection: sqlite3.Connection) -> None:
    """A line lies wholly in a span, sticks out of it, or has nothing to do with it; ordered by start, item, number."""
    take_in(
        connection, cells("2020-03", "3"), cells("2020-01", "1"), cells("2020-02", "2"),
        cells("2020", "9", "steel", "t"), cells("2020-01", "4", "gasoline"),
    )  # fmt: skip
    start, end = TIME.midnight(date(2020, 1, 1)), TIME.midnight(date(2020, 3, 1))
    inside = [(one.period, one.item) for one in ledger.standing(connection, start, end)]
    assert inside == [("2020-01", "diesel"), ("2020-01", "gasoline"), ("2020-02", "diesel")]
    assert [one.value for one in ledger.standing(connection, start, end, "diesel")] == [1, 2]
    assert [one.item for one in ledger.overlapping(connection, start, end)] == ["steel"]
    assert ledger.overlapping(connection, start, end, "diesel") == []
    middle = TIME.midnight(date(2020, 2, 10))
    assert [one.period for one in ledger.overlapping(connection, start, middle, "diesel")] == ["2020-02"]
    assert ledger.standing(connection, end, end) == []


def test_a_correction_supersedes(connection: sqlite3.Connection) -> None:
    """A corrected line counts with its new value; both stay readable, with who, when and why."""
    add(connection, cells("2020-01", "100"))
    assert correct(connection, 1, value="0.11", unit="m3") == 2
    assert counting(connection) == [("2020-01", "diesel", "110", "book")]
    first, second = ledger.kept(connection)
    assert (first.superseded_by, first.is_standing, first.line.value) == (2, False, 100)
    assert (second.line.supersedes, second.line.by, second.line.reason) == (1, "Wang", "typing mistake")
    assert correct(connection, 2, value="100", unit="L") == 3
    assert counting(connection) == [("2020-01", "diesel", "100", "book")]


def test_a_corrected_period_moves_the_line(connection: sqlite3.Connection) -> None:
    """A line may have been of another month, and then counts there alone."""
    add(connection, cells("2020-01", "100"))
    correct(connection, 1, period="2020-02")
    assert counting(connection) == [("2020-02", "diesel", "100", "book")]


def test_a_withdrawn_line_counts_no_more(connection: sqlite3.Connection) -> None:
    """A withdrawn line is passed over by the file it came from, and may be typed again."""
    one = cells("2020-01", "100")
    take_in(connection, one)
    assert withdraw(connection, 1) == 2
    assert counting(connection) == []
    assert take_in(connection, one)["new"] == 0
    assert counting(connection) == []
    assert add(connection, one) == 3
    assert counting(connection) == [("2020-01", "diesel", "100", "book")]


@pytest.mark.parametrize(
    ("number", "words"), [(1, "superseded by line 2"), (3, "is a withdrawal"), (9, "has no line 9")]
)
def test_only_what_stands_is_corrected(connection: sqlite3.Connection, number: int, words: str) -> None:
    """Superseded lines, withdrawals and lines there are not can be neither corrected nor withdrawn."""
    add(connection, cells("2020-01", "100"))
    correct(connection, 1, value="110")
    withdraw(connection, 2)
    for change in (lambda: correct(connection, number, value="5"), lambda: withdraw(connection, number)):
        with pytest.raises(DeclarationError, match=words):
            change()


def test_a_line_is_superseded_once(connection: sqlite3.Connection) -> None:
    """The table itself keeps a line from having two successors."""
    add(connection, cells("2020-01", "100"))
    correct(connection, 1, value="110")
    new = ledger.NewLine("2020-01", 0, 1, "diesel", Decimal(5), "L", "5 L", "book", "")
    with pytest.raises(sqlite3.IntegrityError):
        ledger.add(connection, new, "Li", NOW, supersedes=1, reason="again")


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        pytest.param(cells("2020", "9"), cells("2020-01", "1"), "would count twice", id="a month in a year"),
        pytest.param(cells("2020-01", "1"), cells("2020", "9"), "would count twice", id="a year over a month"),
        pytest.param(cells("2020-Q1", "1"), cells("2020-02-14", "9"), "would count twice", id="a day in a quarter"),
        pytest.param(cells("2020", "9"), cells("2020-01", "1", unit="t"), "would count twice", id="in another unit"),
        pytest.param(cells("2020-01", "1"), cells("2020-01", "2"), "from the same source", id="two values"),
        pytest.param(cells("2020-01", "1"), cells("2020-01", "2", source=" BOOK "), "same source", id="spelt apart"),
    ],
)
def test_what_would_count_twice_is_refused(
    connection: sqlite3.Connection, first: Cells, second: Cells, words: str
) -> None:
    """A period within another, or two values of one document, are refused: in the ledger and within a file."""
    with pytest.raises(DeclarationError) as error:
        take_in(connection, first, second)
    assert "f.csv:3: " in str(error.value)
    assert words in str(error.value)
    assert "line 2 of the file" in str(error.value)
    assert counting(connection) == []
    add(connection, first)
    with pytest.raises(DeclarationError, match=r"line 1 of the ledger") as error:
        take_in(connection, second)
    assert words in str(error.value)
    with pytest.raises(DeclarationError, match=words):
        add(connection, second)
    assert len(counting(connection)) == 1


def test_documents_of_one_period_add_up(connection: sqlite3.Connection) -> None:
    """Two manifests of a month are two lines; it is said that they add up, and that one value came twice."""
    waste = ("waste.hazardous", "t")
    answer = take_in(
        connection, cells("2020-01", "5", *waste, "manifest 1"), cells("2020-01", "6", *waste, "manifest 2"),
        cells("2020-01", "5", *waste, "manifest 3"),
    )  # fmt: skip
    assert answer["new"] == 3
    assert ["is added to" in answer["notes"][0], "says the same" in answer["notes"][1]] == [True, True]
    assert sum(one.value for one in ledger.standing(connection, ALWAYS, NOW)) == 16


def test_results_stand_for_themselves(connection: sqlite3.Connection) -> None:
    """Several results of a day, of a month beside a day, and of one report, are as many results."""
    lab = ("lab.DA002.nmhc", "mg/m3")
    lines = [
        cells("2020-02-14", "11.8", *lab, "report 1"), cells("2020-02-14", "11.8", *lab, "report 2"),
        cells("2020-02-14", "12.0", *lab, "report 1"), cells("2020-02", "12.0", *lab, "report 3"),
        cells("2020-02-14", "11.8", *lab, "report 1", "second sample"),
    ]  # fmt: skip
    assert take_in(connection, *lines)["new"] == 5
    assert take_in(connection, *lines)["new"] == 0
    with pytest.raises(DeclarationError, match="same as line 2 of the file"):
        take_in(connection, *[cells("2020-03-01", "1", *lab), cells("2020-03-01", "1", *lab)])


def test_a_file_is_taken_whole_or_not_at_all(connection: sqlite3.Connection) -> None:
    """Every wrong line is named with its number, and nothing of the file is kept."""
    with pytest.raises(DeclarationError) as error:
        take_in(connection, cells("2020-01", "1"), cells("2020-13", "1"), cells("2020-02", "x", item="stel", unit=""))
    lines = str(error.value).splitlines()
    assert [line.partition(": ")[0] for line in lines[:-1]] == ["f.csv:3", *["f.csv:4"] * 3]
    assert lines[-1] == "f.csv: 2 of 3 lines are wrong; nothing was entered"
    assert counting(connection) == []
    assert connection.execute("SELECT count(*) FROM ledger_file").fetchone() == (0,)


def test_a_dry_run_keeps_nothing(connection: sqlite3.Connection) -> None:
    """A dry run says what would be entered and passed over."""
    add(connection, cells("2020-01", "1"))
    answer = take_in(connection, cells("2020-01", "1"), cells("2020-02", "2"), dry=True)
    assert (answer["new"], answer["passed"], answer["entered"]) == (1, 1, [])
    assert len(ledger.kept(connection)) == 1


def test_a_file_taken_again_leaves_corrections(connection: sqlite3.Connection) -> None:
    """What was corrected since stays corrected when the file is taken in once more."""
    file = [cells("2020-01", "100"), cells("2020-02", "200")]
    take_in(connection, *file)
    correct(connection, 1, value="110")
    before = ledger.kept(connection)
    answer = take_in(connection, *file)
    assert (answer["new"], answer["passed"]) == (0, 2)
    assert ledger.kept(connection) == before


@pytest.mark.parametrize("field", ["--by", "--reason"])
def test_who_and_why_are_wanted(connection: sqlite3.Connection, field: str) -> None:
    """No entry without a name, no correction without a reason."""
    add(connection, cells("2020-01", "100"))
    body = {"id": 1, "cells": {"value": "5"}, "reason": "" if field == "--reason" else "x", "language": "en"}
    for change in (take.correct, take.withdraw):
        with pytest.raises(DeclarationError, match=f"{field} must not be empty"):
            change(connection, PLANT, {}, body, "" if field == "--by" else "Li", NOW)


LINE = st.tuples(
    st.sampled_from([f"2020-{month:02}" for month in range(1, 13)]),
    st.sampled_from([("diesel", "L"), ("diesel", "t"), ("steel", "kg"), ("lab.DA002.nmhc", "mg/m3")]),
    st.integers(0, 50),
)


@given(st.lists(LINE, min_size=1, max_size=12, unique_by=lambda line: (line[0], line[1][0])), st.data())
def test_order_and_repeats_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[str, tuple[str, str], int]], data: st.DataObject
) -> None:
    """However lines are parted into files, in whatever order, and taken how often: the same lines count."""
    all_cells = [cells(period, str(value), *item) for period, item, value in lines]
    shuffled = data.draw(st.permutations(all_cells))
    cut = data.draw(st.integers(0, len(shuffled)))
    parts = [part for part in (shuffled[:cut], shuffled[cut:], shuffled) if part]
    found = []
    for files in ([all_cells], parts):
        store = Store(tmp_path_factory.mktemp("ledger") / "plantmon.db")
        for file in files:
            store.write(lambda writer, file=file: take_in(writer, *file))  # type: ignore[misc]
        found.append(sorted(counting(store.readers.connection())))
        once = ledger.kept(store.readers.connection())
        assert store.write(lambda writer: take_in(writer, *shuffled))["new"] == 0
        assert ledger.kept(store.readers.connection()) == once
        store.close()
    assert found[0] == found[1]
    assert len(found[0]) == len(lines)


IN, OUT = "waste.hazardous.generated", "waste.hazardous"


def test_waste_in_store(connection: sqlite3.Connection) -> None:
    """Oldest waste leaves first: of 10 t of January and 5 t of March, 12 t handed over leave 3 t of March."""
    take_in(connection, cells("2020-01", "10", IN, "t"), cells("2020-03", "5000", IN, "kg"))
    add(connection, cells("2020-04", "12", OUT, "t"))
    april = waste_stock(connection, TIME, TIME.midnight(date(2020, 4, 1)))
    assert april is not None
    assert [(lot.left, lot.days) for lot in april.lots] == [(10, 91), (5, 31)]  # 31 + 29 + 31 days, 31 days
    may = waste_stock(connection, TIME, TIME.midnight(date(2020, 5, 1)))
    assert may is not None
    assert (may.generated, may.out, may.stored, may.more) == (15, 12, 3, 0)
    assert [(lot.line.period, lot.left, lot.days) for lot in may.lots] == [("2020-03", 3, 61)]


def test_waste_beyond_the_ledger(connection: sqlite3.Connection) -> None:
    """What was handed over and never stored by the ledger is told; without any stored waste the store is unknown."""
    assert waste_stock(connection, TIME, NOW) is None
    add(connection, cells("2020-01", "7", OUT, "t"))
    found = waste_stock(connection, TIME, NOW)
    assert found is not None
    assert (found.stored, found.more, found.lots) == (None, 7, ())
    add(connection, cells("2020-02", "4", IN, "t"))
    found = waste_stock(connection, TIME, NOW)
    assert found is not None
    assert (found.stored, found.more) == (4, 7)  # what went in January was none of February's


AMOUNTS = st.lists(st.tuples(st.integers(1, 24), st.integers(0, 40), st.booleans()), max_size=15,
                   unique_by=lambda one: (one[0], one[2]))  # fmt: skip


@given(AMOUNTS)
def test_waste_is_neither_made_nor_lost(
    tmp_path_factory: pytest.TempPathFactory, amounts: list[tuple[int, int, bool]]
) -> None:
    """What was put in is handed over or in store: in - stored = out - more, whatever the order."""
    store = Store(tmp_path_factory.mktemp("waste") / "plantmon.db")
    for month, amount, is_out in amounts:
        period = f"{2020 + (month - 1) // 12}-{(month - 1) % 12 + 1:02}"
        one = cells(period, str(Fraction(amount)), OUT if is_out else IN, "t")
        store.write(lambda writer, one=one: add(writer, one))  # type: ignore[misc]
    found = waste_stock(store.readers.connection(), TIME, NOW)
    if found is not None:
        stored = found.stored or 0
        assert found.generated == sum(amount for _, amount, is_out in amounts if not is_out)
        assert found.generated - stored == found.out - found.more
        assert [lot.line.start_ms for lot in found.lots] == sorted(lot.line.start_ms for lot in found.lots)
    store.close()
