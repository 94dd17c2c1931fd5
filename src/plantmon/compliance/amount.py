"""This module judges amounts: what a source released in a day, a month or a year against the permitted quantity.

A cap is exceeded as soon as the known sum passes it, whatever share is unknown (settled choices, Verdicts);
substituted amounts count (HJ 75-2017; permit rule). It complies only when the window is over and not more of its
running time is unknown than an average may lack.
"""

from __future__ import annotations

import json

from plantmon import units
from plantmon.averages.rounding import significant_one
from plantmon.compliance.judge import Judged, compare
from plantmon.model.emission import Total
from plantmon.model.plant import Limit, Rules
from plantmon.model.verdict import Outcome, Reason


def judge_amount(limit: Limit, rules: Rules, total: Total, *, is_over: bool) -> tuple[Judged, str]:
    """Judge a window's amount; `is_over` False while it goes on. Gives its shares as JSON too."""
    amount = significant_one(total.kg * units.conversion("kg", limit.unit)[0])
    detail = json.dumps(
        {
            "measured_kg": significant_one(total.measured_kg),
            "substituted_kg": significant_one(total.substituted_kg),
            "substituted_share": _share(total.substituted_share),
            "unknown_share": _share(total.unknown_share),
            "at_least": total.at_least,
            "provisional": total.provisional,
        }
    )
    judged = compare(limit, amount)
    if judged.outcome is Outcome.EXCEED:
        outcome = Outcome.EXCEED_AT_LEAST if total.at_least else Outcome.EXCEED
        return Judged(outcome, None, amount, judged.bound), detail
    if not is_over:
        return Judged(Outcome.NOT_JUDGED, Reason.RUNNING, amount, judged.bound), detail
    if (total.unknown_share or 0.0) > 1 - rules.valid_share:
        return Judged(Outcome.NOT_JUDGED, Reason.HOURS, amount, judged.bound), detail
    return judged, detail


def _share(share: float | None) -> float | None:
    return None if share is None else significant_one(share)
