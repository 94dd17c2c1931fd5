"""This module feeds the simulated quarter in every order, and holds that all come to the same register, bit for bit."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from archive_store import DAY_MS, MakesHere, run_all
from quarter_story import COMPUTED, QuarterRun

from plantmon.archive.stage import Archivist
from plantmon.requests import Requests
from simulators.quarter import END, RENEWED_FROM, START, Quarter, at

Computed = dict[str, list[tuple[object, ...]]]


@pytest.fixture(scope="module")
def quarter() -> Quarter:
    """Give the quarter's readings."""
    return Quarter()


@pytest.fixture(scope="module")
def in_order(quarter: Quarter, tmp_path_factory: pytest.TempPathFactory) -> QuarterRun:
    """Feed the quarter as it was sent, people declaring when it is over."""
    run = QuarterRun(tmp_path_factory.mktemp("in_order"), quarter)
    run.feed(quarter.in_order(), declaring=False)
    run.finish()
    assert run.replay.pipeline.recompute(START, END, run.replay.now_ms) == (0, 0)
    return run


@pytest.fixture(scope="module")
def expected(in_order: QuarterRun) -> Computed:
    """Give what comes of that."""
    return in_order.computed()


def shuffled(run: QuarterRun) -> None:
    """Feed in an order of chance."""
    run.feed(run.quarter.shuffled(batches=3), declaring=False)


def one_batch(run: QuarterRun) -> None:
    """Feed everything at once, declared before."""
    run.feed(run.quarter.one_batch(), declaring=False)


def outlet_late(run: QuarterRun) -> None:
    """Feed the boiler's readings a month late, people declaring in due time."""
    run.feed(run.quarter.outlet_late(), declaring=False)


ORDERS = [shuffled, one_batch, outlet_late]


def hold(run: QuarterRun, expected: Computed) -> None:
    """Hold that everything computed is the same bits."""
    run.finish()
    found = run.computed()
    for table in COMPUTED:
        assert len(found[table]) == len(expected[table]), table
        assert found[table] == expected[table], table


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.__name__)
def test_order_of_arrival_changes_nothing(
    order: Callable[[QuarterRun], None], quarter: Quarter, expected: Computed, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Windows, verdicts and amounts are those of the quarter in order."""
    run = QuarterRun(tmp_path_factory.mktemp(order.__name__), quarter)
    order(run)
    hold(run, expected)


def test_renewal_in_the_middle(quarter: Quarter, expected: Computed, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A permit loaded weeks after its day and adopted from it judges as one that was known from the beginning."""
    run = QuarterRun(tmp_path_factory.mktemp("renewal"), quarter, is_renewed=False)
    batches = list(quarter.in_order())
    loaded = at("09-05 12:00")
    run.feed((one for one in batches if one.now_ms < loaded), declaring=True)
    run.restart()
    body = {"version": "latest", "from": at(f"{RENEWED_FROM:%m-%d} 00:00"), "reason": "the authority's letter",
            "hash": run.replay.plant.version, "language": "en"}  # fmt: skip
    done, answer = Requests(run.replay.pipeline, lambda: run.replay.now_ms).handle("adopt", body, "Li")
    assert done, answer
    run.feed((one for one in batches if one.now_ms >= loaded), declaring=True)
    hold(run, expected)


def test_the_archive_changes_nothing(in_order: QuarterRun, expected: Computed) -> None:
    """With every day of the quarter sealed and let go of, computing it again from the files gives the same bits."""
    replay = in_order.replay
    run_all(Archivist(replay.store, MakesHere(), 7 * DAY_MS, 9 * DAY_MS), END + 10 * DAY_MS)
    with replay.store.readers.snapshot() as connection:
        assert connection.execute("SELECT count(*) FROM reading").fetchone() == (0,)
    assert replay.pipeline.recompute(START, END, replay.now_ms) == (0, 0)
    assert in_order.computed() == expected
