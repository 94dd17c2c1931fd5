"""This module checks the topic patterns of a plant file's feeds.

A pattern is a topic whose levels may be `{outlet}`, `{point}`, `{meter}` or `{mn}`; each stands for one whole level.
"""

from __future__ import annotations

import re

from plantmon.plant.problems import Problems
from plantmon.plant.schema import Feed

DECODED = frozenset(
    {"json", "json-batch", "hj212"}
)  # formats there is a decoder for; others load and are not subscribed

_PLACE = re.compile(r"\{([^{}]*)\}")
_ALLOWED = ("outlet", "point", "meter", "mn")


def subscription(topic: str) -> str:
    """Give the MQTT filter of a pattern.

    >>> subscription("plant/x/{outlet}/{point}")
    'plant/x/+/+'
    """
    return _PLACE.sub("+", topic)


def check_feeds(feeds: tuple[Feed, ...], problems: Problems) -> None:
    """Note every pattern that cannot be subscribed, names no point, or takes the same topics as another."""
    first: dict[str, Feed] = {}
    for feed in feeds:
        key, values = _fault(feed)
        if key is not None:
            problems.add(feed.line("topic"), feed.path("topic"), key, **values)
            continue
        other = first.setdefault(subscription(feed.topic), feed)
        if other is not feed:
            problems.add(feed.line("topic"), feed.path("topic"), "topic_twice", other=other.line("topic"))


def _fault(feed: Feed) -> tuple[str | None, dict[str, object]]:
    """Give the first mistake of one pattern as the key of its sentence, None when it is right."""
    if feed.topic.startswith("$"):
        return "topic_dollar", {}
    if "+" in feed.topic or "#" in feed.topic:
        return "topic_wildcard", {}
    names = []
    for level in feed.topic.split("/"):
        if "{" not in level and "}" not in level:
            continue
        match = _PLACE.fullmatch(level)
        if match is None:
            return "topic_part_of_level", {"level": level}
        if match[1] not in _ALLOWED:
            return "topic_name", {"given": match[1], "allowed": _ALLOWED}
        names.append(match[1])
    return _fault_of_names(feed.format, names), {"format": feed.format}


def _fault_of_names(format: str, names: list[str]) -> str | None:
    if len(names) != len(set(names)):
        return "topic_name_twice"
    if "meter" in names and ("point" in names or "outlet" in names):
        return "topic_mixed"
    if format == "hj212" and set(names) - {"mn"}:
        return "topic_of_frames"
    if format == "json" and not {"point", "meter", "mn"} & set(names):
        return "topic_no_point"
    return None
