"""This module keeps an alarm's account: peak, mean and number of its breaching windows or readings."""

from __future__ import annotations

from typing import Any

# What is told as it is now, not as it was when the alarm began.
_NEWEST = (
    "value", "end", "detail", "reached", "at", "share", "left_ms", "allowed", "projected", "exhausted", "point", "by",
    "overdue", "began", "last",
)  # fmt: skip


def opened(facts: dict[str, Any]) -> dict[str, Any]:
    """Begin an account with the first condition's facts."""
    value = facts.get("value")
    account = dict(facts)
    if value is not None:
        account.setdefault("peak", value)
        account.setdefault("total", value)
        account.setdefault("windows", 1)
    return _with_mean(account)


def continued(account: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    """Take another breaching window, or a longer run of readings, into the account."""
    value = facts.get("value")
    new = account | {name: facts[name] for name in _NEWEST if name in facts}
    new["at_least"] = bool(account.get("at_least")) or bool(facts.get("at_least"))
    if "total" in facts:  # single readings: the run carries its own sums; runs before it are kept apart
        closed = dict(account.get("before", {}))
        if facts["start"] != account.get("start") and "total" in account:
            closed = {
                "total": closed.get("total", 0.0) + account["total"],
                "windows": closed.get("windows", 0) + account["windows"],
            }
            new["start"] = facts["start"]
        new |= {"before": closed, "total": facts["total"], "windows": facts["windows"]}
        new["peak"] = _worse(account, facts["peak"])
    elif value is not None and facts.get("end") != account.get("end"):
        new |= {"total": account.get("total", 0.0) + value, "windows": account.get("windows", 0) + 1}
        new["peak"] = _worse(account, value)
    return _with_mean(new)


def _worse(account: dict[str, Any], value: float) -> float:
    peak = account.get("peak")
    if peak is None:
        return value
    return min(float(peak), value) if account.get("side") == "min" else max(float(peak), value)


def _with_mean(account: dict[str, Any]) -> dict[str, Any]:
    before = account.get("before", {})
    count = account.get("windows", 0) + before.get("windows", 0)
    if count and "total" in account:
        account["mean"] = float(f"{(account['total'] + before.get('total', 0.0)) / count:.12g}")
    return account
