"""This module proves that what is kept of refused messages has bounds, and that counting has none."""

from __future__ import annotations

from pathlib import Path

from plantmon.store.database import Store
from plantmon.store.rejected import KEPT_BEGINNING, KEPT_BYTES, KEPT_TOGETHER, Rejected, Why, add, totals


def test_payloads_together_have_a_bound(tmp_path: Path) -> None:
    """Beyond the bound of all payloads only the beginning of each is kept, and every message still counts."""
    store = Store(tmp_path / "plantmon.db")
    payload = b"x" * (2 * KEPT_BYTES)
    topics = KEPT_TOGETHER // (50 * KEPT_BYTES) + 3
    for number in range(topics):
        flood = [Rejected(Why.UNDECODABLE, f"t/{number}", 1, "bad", payload)] * 60
        store.write(lambda connection, flood=flood: add(connection, flood))
    with store.readers.snapshot() as connection:
        sizes = [row[0] for row in connection.execute("SELECT length(payload) FROM rejected_payload ORDER BY id")]
        assert sum(row[2] for row in totals(connection)) == topics * 60
    assert sum(sizes) <= KEPT_TOGETHER + 50 * KEPT_BYTES + 3 * 50 * KEPT_BEGINNING
    assert (sizes[0], sizes[-1]) == (KEPT_BYTES, KEPT_BEGINNING)
    store.close()
