"""This module says what a report tells of itself: whose it is, of which time, when it was made, what must be known."""

from __future__ import annotations

from plantmon.reports.document import Document


def facts(document: Document) -> list[tuple[str, str]]:
    """List a report's facts as label and words, its notices last."""
    scope = document.scope
    plant, time = scope.plant, scope.plant.time
    told = [
        (scope.say("fact.plant"), plant.name.in_language(scope.language)),
        (scope.say("fact.permit"), plant.permit or "–"),
        (scope.say("fact.period"), document.period),
        (scope.say("fact.times"), scope.say("plant_time", zone=time.zone.key)),
        (scope.say("fact.made"), time.show(scope.now_ms)),
    ]
    return told + [(scope.say("fact.notice"), notice) for notice in document.notices]
