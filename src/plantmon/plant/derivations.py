"""This module checks how a plant's own metrics are derived: the language, and names that lead somewhere."""

from __future__ import annotations

from plantmon.errors import DerivationError
from plantmon.plant import schema
from plantmon.plant.fitting import say
from plantmon.plant.problems import Problems
from plantmon.tables.derivation import metrics_named, parse
from plantmon.tables.metrics import catalogue


def check_derivations(esg: schema.Esg, problems: Problems) -> None:
    """Note derivations that cannot be read, name no metric, or lead back to themselves."""
    named: dict[str, list[str]] = {}
    for id, metric in esg.metrics.items():
        try:
            named[id] = metrics_named(parse(metric.derive))
        except DerivationError as error:
            say(problems, metric, "derive", error.key, **error.values)
    known = {one.id: metrics_named(parse(one.derive)) for one in catalogue()} | named
    for id in named:
        for other in named[id]:
            if other not in known and not other.startswith("production."):
                say(problems, esg.metrics[id], "derive", "derive_metric", given=other, allowed=tuple(known))
        line = _circle(id, known)
        if line:
            say(problems, esg.metrics[id], "derive", "derive_circle", line=" - ".join(line))


def _circle(id: str, named: dict[str, list[str]]) -> list[str]:
    """Give the way from a metric back to itself, nothing where there is none."""
    ways = [[id]]
    seen = {id}
    while ways:
        way = ways.pop()
        for other in named.get(way[-1], []):
            if other == id:
                return [*way, id]
            if other not in seen:
                seen.add(other)
                ways.append([*way, other])
    return []
