"""This module takes the factors of a report: those a published year was published with, the plant's own, the table's.

What was taken is kept, with its document, for the report to name. A factor there is none of stays missing, with its
reason: no other year and no other region stands in.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from plantmon.model.metric import FactorUsed, Term, TermKind
from plantmon.model.plant import EsgRules, Name
from plantmon.tables.factor_units import ratio
from plantmon.tables.factors import GWP, Factor, NoFactor, factor, gwp_sets, rows_of, unit_of
from plantmon.texts import text

PLANT_FILE = "plant file"  # the certainty of a plant's own factor


class Factors:
    """The factors of one reported year of a plant; `frozen` are those it was published with."""

    def __init__(self, esg: EsgRules, year: int, frozen: Iterable[FactorUsed] = ()) -> None:
        self._esg = esg
        self._year = year
        self._frozen = {one.id: one for one in frozen}
        self._used: dict[str, FactorUsed] = {}

    @property
    def used(self) -> tuple[FactorUsed, ...]:
        """What was taken so far, by id, each once."""
        return tuple(self._used[id] for id in sorted(self._used))

    def take(self, id: str) -> Factor | NoFactor:
        """Give a factor in the table's unit and keep that it was used, or say why there is none.

        `gwp.CH4` is of the assessment report that the plant file names, `grid.*` of its region and data year.
        """
        if id in self._frozen:
            self._used[id] = self._frozen[id]
            return _of(self._frozen[id])
        own = self._own(id)
        found = own or factor(self._full(id), self._year, self._esg.grid_region, self._esg.grid_data_year)
        if isinstance(found, NoFactor):
            return found
        self._used[id] = FactorUsed(
            id, found.name, found.value, found.unit, found.data_year, found.published, found.source, found.certainty,
            is_own=own is not None,
        )  # fmt: skip
        return found

    def term(self, id: str) -> Term:
        """Give a factor as a leaf of a derivation; one there is none of is a missing one that says why."""
        found = self.take(id)
        if isinstance(found, NoFactor):
            return Term(
                TermKind.MISSING, told(found), None, unit_of(id) or "", reason=f"no_factor:{found.detail}", id=id
            )
        parts = (found.source, found.data_year and f"data of {found.data_year}", found.published)
        return Term(
            TermKind.FACTOR, found.name, found.value, found.unit, source=", ".join(filter(None, parts)),
            certainty=found.certainty, id=id,
        )  # fmt: skip

    def _full(self, id: str) -> str:
        """Give a gas's potential its assessment report where none is named."""
        is_bare = id.startswith(GWP) and id.split(".")[1] not in gwp_sets()
        return f"{GWP}{self._esg.gwp}.{id.removeprefix(GWP)}" if is_bare else id

    def _own(self, id: str) -> Factor | None:
        """Give the plant file's factor, under the id asked for, its full one, or another spelling of it."""
        full = self._full(id)
        rows = rows_of(full)
        names = dict.fromkeys([id, full, *(name for row in rows for name in (row.id, *row.also))])
        bare = [f"{GWP}{name.split('.', 2)[2]}" for name in names if name.startswith(f"{GWP}{self._esg.gwp}.")]
        own = next((self._esg.factors[name] for name in (*names, *bare) if name in self._esg.factors), None)
        if own is None:
            return None
        unit = unit_of(full) or own.unit
        scale = ratio(own.unit, unit)
        value = own.value * scale.numerator / Decimal(scale.denominator)
        name = rows[0].name if rows else Name(id, id)
        return Factor(id, name, value, unit, "", "", None, None, own.source, PLANT_FILE)


def _of(used: FactorUsed) -> Factor:
    """Give a factor as it was published."""
    return Factor(
        used.id, used.name, used.value, used.unit, used.data_year, used.published, None, None, used.source,
        used.certainty,
    )  # fmt: skip


def told(missing: NoFactor) -> Name:
    """Say why there is no factor, and how the plant file names one."""
    return Name(*(_sentence(missing, language) for language in ("en", "zh")))


def _sentence(missing: NoFactor, language: str) -> str:
    known = ("、" if language == "zh" else ", ").join(missing.known)
    values = {"id": missing.id, "year": missing.year, "region": missing.region, "known": known}
    return text(f"factors.missing.{missing.reason}", language, **values)
