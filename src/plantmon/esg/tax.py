"""This module computes the environmental protection tax of outlets' months, from what they released.

An outlet's month pays for the pollutants with the most equivalents (kg by the pollutant's equivalent value): three of
air, of water five of class 1 and three others, of COD, BOD5 and TOC one (law, articles 7 to 9 and annex). A mean well
below the limit lowers what is paid (article 13), but not in a month in which any outlet of the taxpayer exceeded a
limit (Caishui 2018 no. 117, 2; whether one of air blocks water, or one of a pollutant that is not taxed, is not said:
it does here). Waste water to a municipal plant is not taxed (article 4).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from plantmon.model.metric import Coverage
from plantmon.model.plant import EsgRules, Name
from plantmon.tables.tax import Taxed, TaxRate, counted, lowerings, ph_bands, rates, taxed

PLANT_FILE = "plant file"
PH, PM = "ph", "pm"
NOT_COMPUTED = ("noise_not_computed", "solid_waste_not_computed")
MEASURED = Coverage(measured=1.0, missing=0.0)
_ONE, _ZERO = Decimal(1), Decimal(0)


@dataclass(frozen=True, slots=True)
class Release:
    """What an outlet released of a pollutant in a local month, and how it stood to its limit.

    `pollutant` is a quantity, particulate matter `pm.smoke` or `pm.dust` (`pm`: nobody said which). `kg` None: not
    known. `mean` is that of the month's hourly (air) or daily (water) means, in the unit of `limit`; None without
    either. `exceeded` says whether one of them exceeded. Of pH there are `waters`: pH with the t of waste water.
    """

    outlet: str
    month: str  # 2020-03
    medium: str  # air, water
    pollutant: str
    kg: Decimal | None
    mean: Decimal | None = None
    limit: Decimal | None = None
    exceeded: bool = False
    is_indirect: bool = False
    waters: tuple[tuple[Decimal, Decimal], ...] = ()
    notes: tuple[str, ...] = ()
    coverage: Coverage = MEASURED
    point: str = ""
    start_ms: int = 0
    end_ms: int = 0


@dataclass(frozen=True, slots=True)
class TaxLine:
    """What an outlet's month owes for a pollutant, and why so much; `pays` is the share of the tax paid, 0..1.

    `reason` says why nothing is owed (indirect, pm_unsaid, not_measured, one_of_group, not_among_first,
    no_rate) or whether it is lowered (lowered, not_low_enough, exceeded, exceeded_elsewhere, no_limit, not_judged).
    `cny` None: not known.
    """

    release: Release
    taxed: Taxed | None
    equivalents: Decimal | None
    reason: str
    rank: int | None = None
    is_counted: bool = False
    rate: TaxRate | None = None
    pays: Decimal = _ONE
    cny: Decimal | None = None
    blocked_by: tuple[str, ...] = ()

    @property
    def reduction(self) -> Decimal:
        """What is not paid, CNY."""
        if not self.is_counted or self.rate is None or self.equivalents is None:
            return _ZERO
        return self.equivalents * self.rate.cny * (_ONE - self.pays)


@dataclass(frozen=True, slots=True)
class TaxYear:
    """The tax of some months: a line an outlet, month and taxable pollutant, in that order.

    `notes` are codes: what is not computed, not taxed (`not_taxable:nmhc`), or not whole (`incomplete`).
    """

    lines: tuple[TaxLine, ...]
    notes: tuple[str, ...]

    def of(self, medium: str | None) -> tuple[TaxLine, ...]:
        """Give the lines of `air` or `water`, of both for None."""
        return tuple(line for line in self.lines if medium in (None, line.release.medium))

    def cny(self, medium: str | None = None) -> Decimal | None:
        """Give what is owed as far as it is known; None where nothing is."""
        known = [line.cny for line in self.of(medium) if line.cny is not None]
        return sum(known, _ZERO) if known else None

    def equivalents(self, medium: str | None = None) -> Decimal | None:
        """Give the equivalents that are taxed; None where nothing is known."""
        if self.cny(medium) is None:
            return None
        return sum((line.equivalents or _ZERO for line in self.of(medium) if line.is_counted), _ZERO)

    def reduction(self, medium: str | None = None) -> Decimal | None:
        """Give by how much reductions lower the tax, CNY; None where nothing is known."""
        if self.cny(medium) is None:
            return None
        return sum((line.reduction for line in self.of(medium)), _ZERO)

    def within(self, start_ms: int, end_ms: int) -> TaxYear:
        """Give the months that lie in [start, end)."""
        lines = (line for line in self.lines if line.release.start_ms >= start_ms and line.release.end_ms <= end_ms)
        return TaxYear(tuple(lines), self.notes)


def rates_of(esg: EsgRules) -> tuple[TaxRate, ...]:
    """Give the rates of a plant: its own before those of its region."""
    own = [
        TaxRate("", one.medium, one.valid_from, one.valid_to, one.value, PLANT_FILE, PLANT_FILE)
        for one in esg.tax_rates
    ]
    return (*own, *(rate for rate in rates() if rate.region == esg.tax_region))


def tax_of_releases(releases: Iterable[Release], rates: Sequence[TaxRate]) -> TaxYear:
    """Compute the tax of what was released; of several rates for a day the first counts.

    >>> rate = TaxRate("", "air", None, None, Decimal("2.4"), "", "")
    >>> tax_of_releases([Release("DA001", "2020-03", "air", "nox", Decimal(95))], [rate]).cny()
    Decimal('240')
    """
    order = sorted(releases, key=lambda one: (one.outlet, one.month, one.medium, one.pollutant))
    lines = [_weighed(one) for one in order if is_taxable(one)]
    untaxed = dict.fromkeys(f"not_taxable:{one.pollutant}" for one in order if not is_taxable(one))
    blocked = _blocked(order)
    groups: dict[tuple[str, str, str, str], list[TaxLine]] = defaultdict(list)
    for line in lines:
        if line.taxed is not None:
            one = line.release
            groups[one.outlet, one.month, one.medium, line.taxed.rank_class].append(line)
    ranked = {id(old): new for some in groups.values() for old, new in _ranked(some)}
    done = [_priced(ranked.get(id(line), line), rates, blocked) for line in lines]
    is_incomplete = any(line.reason in ("not_measured", "pm_unsaid", "no_rate") for line in done)
    incomplete = ("incomplete",) if is_incomplete else ()
    return TaxYear(tuple(done), (*NOT_COMPUTED, *untaxed, *incomplete))


def is_taxable(release: Release) -> bool:
    """Whether the law's table has the pollutant; not total nitrogen, nor NMHC."""
    return release.pollutant in (PM, PH) or (release.medium, release.pollutant) in taxed()


def _weighed(release: Release) -> TaxLine:
    """Bring a release to equivalents, or say why it has none; a sum below zero weighs nothing."""
    if release.is_indirect:
        return TaxLine(release, None, None, "indirect", cny=_ZERO)
    if release.pollutant == PH:
        return TaxLine(release, _PH, sum((_ph_equivalents(*one) for one in release.waters), _ZERO), "")
    found = taxed().get((release.medium, release.pollutant))
    if found is None:
        return TaxLine(release, None, None, "pm_unsaid")
    if release.kg is None:
        return TaxLine(release, found, None, "not_measured")
    return TaxLine(release, found, max(release.kg, _ZERO) / found.equivalent_kg, "")


_PH = Taxed("water", PH, Name("pH", "pH值"), "2", _ONE, "", ph_bands()[0].source, "verified")


def _ph_equivalents(ph: Decimal, water_t: Decimal) -> Decimal:
    """Give the equivalents of waste water of a pH; none between 6 and 9."""
    return next((water_t / band.equivalent_t for band in ph_bands() if band.holds(ph)), _ZERO)


def _blocked(releases: Iterable[Release]) -> dict[str, tuple[str, ...]]:
    """Give by month the outlets that exceeded a limit, of whatever pollutant."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for release in releases:
        if release.exceeded:
            found[release.month][release.outlet] = None
    return {month: tuple(outlets) for month, outlets in found.items()}


def _ranked(lines: Sequence[TaxLine]) -> list[tuple[TaxLine, TaxLine]]:
    """Rank the pollutants of an outlet's month and class, the most equivalents first; ties in the table's order."""
    order = list(taxed())
    known = [line for line in lines if line.equivalents is not None]

    def place(line: TaxLine) -> tuple[Decimal, int]:
        key = (line.release.medium, line.release.pollutant)
        return -(line.equivalents or _ZERO), order.index(key) if key in order else len(order)

    found, seen, rank = [], set[str](), 0
    for line in sorted(known, key=place):
        assert line.taxed is not None
        if line.taxed.group and line.taxed.group in seen:
            found.append((line, replace(line, reason="one_of_group", cny=_ZERO)))
            continue
        seen.add(line.taxed.group)
        rank += 1
        if rank > counted(line.release.medium, line.taxed.rank_class):
            found.append((line, replace(line, rank=rank, reason="not_among_first", cny=_ZERO)))
        else:
            found.append((line, replace(line, rank=rank, is_counted=True)))
    return found


def _priced(line: TaxLine, rates: Sequence[TaxRate], blocked: dict[str, tuple[str, ...]]) -> TaxLine:
    """Price a line that counts."""
    if not line.is_counted:
        return line
    assert line.equivalents is not None
    release = line.release
    first = date.fromisoformat(f"{release.month}-01")
    rate = next((one for one in rates if one.medium == release.medium and one.covers(first)), None)
    if rate is None:
        return replace(line, reason="no_rate")
    outlets = blocked.get(release.month, ())
    pays, reason = _share_paid(release, outlets)
    cny = line.equivalents * rate.cny * pays
    blocked_by = outlets if reason == "exceeded_elsewhere" else ()
    return replace(line, rate=rate, pays=pays, reason=reason, cny=cny, blocked_by=blocked_by)


def _share_paid(release: Release, blocked_by: Sequence[str]) -> tuple[Decimal, str]:
    """Give the share of the tax that is paid, and why."""
    if release.exceeded:
        return _ONE, "exceeded"
    if release.limit is None:
        return _ONE, "no_limit"
    if release.mean is None:
        return _ONE, "not_judged"
    for step in lowerings():
        if release.mean <= release.limit * (_ONE - step.below):
            return (_ONE, "exceeded_elsewhere") if blocked_by else (step.pays, "lowered")
    return _ONE, "not_low_enough"
