"""This module proves that an alarm's account keeps peak, mean and number of what breached."""

from __future__ import annotations

from typing import Any

from plantmon.alarms.account import continued, opened


def window(value: float, end: int, **changes: Any) -> dict[str, Any]:
    """Give the facts of a breaching window."""
    return {"value": value, "start": end - 1, "end": end, "side": "max", "at_least": False} | changes


def run(first: int, last: int, values: list[float]) -> dict[str, Any]:
    """Give the facts of a run of readings below a lower end."""
    return {
        "value": values[-1], "start": first, "end": last, "side": "min", "peak": min(values), "total": sum(values),
        "windows": len(values),
    }  # fmt: skip


def test_windows_add_up() -> None:
    """Three windows have the highest value as peak, their mean and their number."""
    account = opened(window(60.0, 1))
    for value, end in ((90.0, 2), (75.0, 3)):
        account = continued(account, window(value, end))
    assert (account["peak"], account["mean"], account["windows"], account["value"]) == (90.0, 75.0, 3, 75.0)


def test_the_same_window_again_counts_once() -> None:
    """A window told of twice, because it was computed again, is in the account once."""
    account = continued(opened(window(60.0, 1)), window(61.0, 1))
    assert (account["windows"], account["value"]) == (1, 61.0)


def test_at_least_sticks() -> None:
    """Once a part was a lower bound the whole is."""
    account = continued(opened(window(60.0, 1, at_least=True)), window(61.0, 2))
    assert account["at_least"]


def test_growing_run_replaces_itself() -> None:
    """A run of readings that grows is counted with its own sums, not added again."""
    account = continued(opened(run(0, 60, [700.0, 690.0])), run(0, 70, [700.0, 690.0, 650.0]))
    assert (account["peak"], account["mean"], account["windows"]) == (650.0, 680.0, 3)


def test_second_run_adds_to_the_first() -> None:
    """An alarm that stands over two runs has the mean of both."""
    account = continued(opened(run(0, 60, [700.0, 690.0])), run(100, 160, [710.0, 720.0]))
    assert (account["peak"], account["mean"]) == (690.0, 705.0)


def test_without_a_value() -> None:
    """An alarm without a value, such as silence, has no account and goes on."""
    assert continued(opened({"point": "x"}), {"point": "x", "end": 5})["end"] == 5
