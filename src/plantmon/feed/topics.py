"""This module matches topics to the plant file's feeds and points.

A message belongs to the most literal feed that matches: fewest placeholders, then the earlier line of the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from plantmon.model.plant import FeedSpec, Plant, Point
from plantmon.plant.topics import DECODED

# Topics are remembered once matched; a flood of made-up ones must not fill the memory.
REMEMBERED_TOPICS = 20_000
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Route:
    """Where a topic leads: the feed (its place in the file), the point it names, the HJ 212 device it names.

    `point` is None for batch feeds, for frames and for a topic that names no known point; `named` says what it named.
    """

    number: int
    feed: FeedSpec
    point: Point | None
    named: str
    mn: str | None = None


class Routes:
    """The feeds of a plant file that have a decoder, ready to match."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self.feeds = [feed for feed in plant.feeds if feed.format in DECODED]
        patterns = [
            (len(_PLACE.findall(feed.topic)), number, self._expression(feed.topic))
            for number, feed in enumerate(self.feeds)
        ]
        self._patterns = [(number, expression) for _, number, expression in sorted(patterns, key=lambda item: item[:2])]
        self._known: dict[str, Route | None] = {}

    @staticmethod
    def _expression(pattern: str) -> re.Pattern[str]:
        parts = _PLACE.split(pattern)
        text = "".join(f"(?P<{part}>[^/]+)" if place % 2 else re.escape(part) for place, part in enumerate(parts))
        return re.compile(text)

    def find(self, topic: str) -> Route | None:
        """Give the route of a topic, None where no feed matches."""
        if topic in self._known:
            return self._known[topic]
        if len(self._known) >= REMEMBERED_TOPICS:
            self._known.clear()
        route = self._match(topic)
        self._known[topic] = route
        return route

    def _match(self, topic: str) -> Route | None:
        for number, expression in self._patterns:
            match = expression.fullmatch(topic)
            if match:
                groups = match.groupdict()
                named = self._name(groups)
                return Route(number, self.feeds[number], self._plant.points.get(named), named, groups.get("mn"))
        return None

    @staticmethod
    def _name(groups: dict[str, str]) -> str:
        if "meter" in groups:
            return groups["meter"]
        if "outlet" in groups and "point" in groups:
            return f"{groups['outlet']}.{groups['point']}"
        return groups.get("point", "")
