"""This module proves how exceeding windows become entries of the register."""

from __future__ import annotations

import json
import math

import pytest
from builders import a_point

from plantmon.compliance.register import average_of, entries
from plantmon.model.plant import Kind
from plantmon.model.verdict import Outcome, Reason, Verdict

HOUR = 3_600_000
MINUTE = 60_000
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
    assert (entry.first_ms, entry.last_ms) == (0, 3 * HOUR)


def test_windows_that_do_not_touch_are_two() -> None:
    """A window missing between two exceedances keeps them apart."""
    verdicts = row("xox", [60.0, 40.0, 60.0])
    assert len(entries([verdicts[0], verdicts[2]])) == 2


def test_both_ends_of_a_limit_are_one_entry() -> None:
    """Too acid, then too alkaline, is one entry with the end that was passed by more of itself."""
    acid = Verdict("ph", 0, HOUR, Outcome.EXCEED, None, 4.5, 6.0)  # 0.25 of 6
    base = Verdict("ph", HOUR, 2 * HOUR, Outcome.EXCEED, None, 10.8, 9.0)  # 0.2 of 9
    (entry,) = entries([acid, base])
    assert (entry.peak, entry.bound, entry.multiple, entry.windows) == (4.5, 6.0, 0.25, 2)


def test_a_limit_of_nothing_has_no_multiple() -> None:
    """What must not be there at all cannot be over by a multiple."""
    (entry,) = entries([Verdict("zero", 0, HOUR, Outcome.EXCEED, None, 0.3, 0.0)])
    assert (entry.peak, entry.multiple) == (0.3, None)


def test_means_follow_what_is_measured() -> None:
    """Sound is averaged by energy, pH by its median, all else arithmetically."""
    sound = a_point(quantity="sound_level", unit="dB", kind=Kind.ENERGY)
    assert average_of(sound)([60.0, 70.0]) == pytest.approx(10 * math.log10((1e6 + 1e7) / 2), rel=1e-12)
    assert average_of(a_point(quantity="ph", unit="pH"))([5.0, 5.1, 3.0]) == 5.0
    assert average_of(a_point())([60.0, 70.0, 71.0]) == 67.0
    assert average_of(None)([1.0, 2.0]) == 1.5


def a_run(first_min: int, last_min: int, peak: float, mean: float, *, at_least: bool = False) -> dict[str, object]:
    """Give an excursion as a verdict keeps it, a reading a minute."""
    count = last_min - first_min + 1
    return {"first": first_min * MINUTE, "last": last_min * MINUTE, "peak": peak, "mean": mean, "readings": count,
            "at_least": at_least}  # fmt: skip


def an_hour(place: int, *runs: dict[str, object]) -> Verdict:
    """Give an hour of a limit on single readings, a minimum of 760."""
    worst = min(float(str(run["peak"])) for run in runs)
    span = (place * HOUR, (place + 1) * HOUR)
    return Verdict("rto", *span, Outcome.EXCEED, None, worst, 760.0, json.dumps(runs))


def test_an_excursion_goes_on_in_the_next_hour() -> None:
    """What a verdict cut at the hour is one again: its own first and last instant, worst value and mean."""
    (entry,) = entries(
        [an_hour(0, a_run(50, 59, 700.0, 720.0)), an_hour(1, a_run(60, 64, 690.0, 705.0))], interval_ms=MINUTE
    )
    [run] = entry.excursions
    assert (run.first_ms, run.last_ms, run.peak, run.readings) == (50 * MINUTE, 64 * MINUTE, 690.0, 15)
    assert (run.mean, entry.mean) == (715.0, 715.0)  # (10 x 720 + 5 x 705) / 15
    assert (entry.start, entry.end, entry.first_ms, entry.last_ms) == (0, 2 * HOUR, 50 * MINUTE, 64 * MINUTE)


def test_excursions_with_a_reading_between_are_two() -> None:
    """Two excursions in neighbouring hours stay two, in one entry."""
    (entry,) = entries(
        [an_hour(0, a_run(50, 58, 700.0, 720.0)), an_hour(1, a_run(60, 64, 690.0, 705.0))], interval_ms=MINUTE
    )
    assert [run.first_ms // MINUTE for run in entry.excursions] == [50, 60]
    assert entry.mean == pytest.approx((9 * 720 + 5 * 705) / 14, rel=1e-11)
