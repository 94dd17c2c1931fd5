"""This module proves which feed and point a topic belongs to."""

from __future__ import annotations

import pytest
from builders import a_plant, a_point

from plantmon.feed.topics import Routes
from plantmon.model.plant import FeedSpec, Kind


def a_feed(topic: str, format: str = "json") -> FeedSpec:
    """Give a feed with the usual field names."""
    return FeedSpec(topic, format, 1, "ts", "value", "unit", "flag", False)


NOX = a_point("DA001.nox")
METER = a_point("E-MAIN", kind=Kind.COUNTER)
FEEDS = (
    a_feed("p/{outlet}/{point}"),
    a_feed("p/meter/{meter}"),
    a_feed("p/DA001/nox"),
    a_feed("p/batch", "json-batch"),
    a_feed("p/{mn}", "hj212"),
    a_feed("q.r/{point}"),
    a_feed("{mn}", "csv"),
)
ROUTES = Routes(a_plant((NOX, METER), feeds=FEEDS))


@pytest.mark.parametrize(
    ("topic", "feed", "point", "named"),
    [
        pytest.param("p/DA001/so2", "p/{outlet}/{point}", None, "DA001.so2", id="unknown point is named"),
        pytest.param("p/DA001/nox", "p/DA001/nox", None, "", id="the most literal feed wins"),
        pytest.param("p/meter/E-MAIN", "p/meter/{meter}", "E-MAIN", "E-MAIN", id="one placeholder before two"),
        pytest.param("p/batch", "p/batch", None, "", id="batch"),
        pytest.param("p/DA001", "p/{mn}", None, "", id="the device of frames"),
        pytest.param("q.r/E-MAIN", "q.r/{point}", "E-MAIN", "E-MAIN", id="point alone, dots are literal"),
    ],
)
def test_routes(topic: str, feed: str, point: str | None, named: str) -> None:
    """A topic leads to the feed with the fewest placeholders, and to the point it names."""
    route = ROUTES.find(topic)
    assert route is not None
    assert (route.feed.topic, route.point and route.point.id, route.named) == (feed, point, named)


def test_device_of_a_topic() -> None:
    """A topic of frames names their device."""
    route, other = ROUTES.find("p/A123456"), ROUTES.find("p/DA001/so2")
    assert route is not None
    assert other is not None
    assert (route.mn, other.mn) == ("A123456", None)


@pytest.mark.parametrize("topic", ["p", "p/DA001/nox/x", "qxr/E-MAIN", "P/batch", "", "p//nox", "p/DA001/"])
def test_no_feed(topic: str) -> None:
    """A topic with other levels, or in other letters, matches no feed; a placeholder is never empty."""
    assert ROUTES.find(topic) is None


def test_feeds_without_a_decoder_are_left_out() -> None:
    """A feed whose format nothing decodes takes no topic from another."""
    assert [feed.format for feed in ROUTES.feeds] == ["json", "json", "json", "json-batch", "hj212", "json"]


def test_memory_is_bounded() -> None:
    """A flood of made-up topics is answered each time and not remembered for ever."""
    routes = Routes(a_plant((NOX,), feeds=FEEDS))
    for turn in range(20_050):
        assert routes.find(f"x/{turn}") is None
    assert len(routes._known) <= 20_000
