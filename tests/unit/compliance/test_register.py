"""This module proves how exceeding windows become entries of the register."""

from __future__ import annotations

import pytest

from plantmon.compliance.register import entries
from plantmon.model.verdict import Outcome, Reason, Verdict

HOUR = 3_600_000
LETTERS = {
    "o": (Outcome.OK, None),
    "w": (Outcome.WARN, None),
    "x": (Outcome.EXCEED, None),
    "X": (Outcome.EXCEED_AT_LEAST, None),
    "n": (Outcome.NOT_JUDGED, Reason.MINUTES),
    "s": (Outcome.NOT_JUDGED, Reason.STOPPED),
}


def row(letters: str, values: list[float]) -> list[Verdict]:
    """Give neighbouring hours, one letter each, against a maximum of 50."""
    return [
        Verdict("limit", place * HOUR, (place + 1) * HOUR, *LETTERS[letter], value=value, bound=50.0)
        for place, (letter, value) in enumerate(zip(letters, values, strict=True))
    ]


@pytest.mark.parametrize(
    ("letters", "spans"),
    [
        ("oxxo", [(1, 3)]),
        ("xnx", [(0, 1), (2, 3)]),
        ("xsx", [(0, 1), (2, 3)]),
        ("xwx", [(0, 1), (2, 3)]),
        ("xXx", [(0, 3)]),
        ("owns", []),
    ],
)
def test_neighbours_are_one_entry(letters: str, spans: list[tuple[int, int]]) -> None:
    """Exceeding windows side by side are one entry; anything else between them makes two."""
    found = entries(row(letters, [60.0] * len(letters)))
    assert [(entry.start // HOUR, entry.end // HOUR) for entry in found] == spans


def test_entry_keeps_peak_mean_and_multiple() -> None:
    """An entry has its worst value, the mean of its windows and how many times over the limit it was."""
    (entry,) = entries(row("xXx", [60.0, 75.0, 63.0]))
    assert (entry.peak, entry.mean, entry.multiple, entry.windows, entry.at_least) == (75.0, 66.0, 0.5, 3, True)


def test_windows_that_do_not_touch_are_two() -> None:
    """A window missing between two exceedances keeps them apart."""
    verdicts = row("xox", [60.0, 40.0, 60.0])
    assert len(entries([verdicts[0], verdicts[2]])) == 2
