"""This module makes the minutes of a calculated point from those of its parts.

A minute's mean is the formula of the parts' minute means, valid only where every part is. A part that is slower than a
minute stands for at most two of its intervals. A minute in which a part is over range is over range too; its bound is
the least the formula can be while those parts lie above theirs, where there is such a bound: `thc - ch4` with `thc`
over range is bounded, with `ch4` over range it is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plantmon.averages.formula import Floats, Formula, Span
from plantmon.averages.running import STANDS_FOR_INTERVALS
from plantmon.model.minutes import MINUTES, MinuteBlock
from plantmon.model.plant import Point
from plantmon.times import MINUTE_MS

_Minutes = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Part:
    """A part's sixty minutes, each with what stands for it; NaN and False where nothing does."""

    had: _Minutes
    mean: Floats
    over: _Minutes
    bound: Floats


def calculated_block(
    formula: Formula, points: Mapping[str, Point], blocks: Mapping[str, Sequence[MinuteBlock]], over: int
) -> MinuteBlock:
    """Make the minutes of the hour that the last block of each part is of; earlier blocks come before it in time.

    `over` is the mask of the minutes that are over; the others stay empty. Blocks are by the parts' full ids; a slow
    part brings as many earlier hours as `hours_of_influence` says.
    """
    parts = [_part(points[name], blocks[name]) for name in formula.parts]
    names = formula.parts
    until = np.array([bool(over >> minute & 1) for minute in range(MINUTES)])
    value = formula.value({name: part.mean for name, part in zip(names, parts, strict=True)})
    least = formula.least({name: _span(part) for name, part in zip(names, parts, strict=True)})
    is_valid = until & ~np.isnan(value)
    is_over = until & np.any([part.over for part in parts], axis=0)
    had = until & (np.all([part.had for part in parts], axis=0) | is_over)
    block = MinuteBlock.empty()
    block.had[had] = block.valid[is_valid] = block.over[is_over] = 1
    for column in (block.mean, block.low, block.high):
        column[is_valid] = value[is_valid]
    block.bound[is_over] = least[is_over]
    return block


def _part(point: Point, blocks: Sequence[MinuteBlock]) -> _Part:
    had, valid, over = (np.concatenate([getattr(one, name) for one in blocks]) > 0 for name in ("had", "valid", "over"))
    mean, bound = (np.concatenate([getattr(one, name) for one in blocks]) for name in ("mean", "bound"))
    most = max(1, STANDS_FOR_INTERVALS * point.interval_ms // MINUTE_MS) if point.is_slow else 1
    stands, knows = _standing(had, most), _standing(valid | over, most)
    known, at = knows >= 0, np.maximum(knows, 0)
    return _Part(
        stands[-MINUTES:] >= 0,
        np.where(known & valid[at], mean[at], np.nan)[-MINUTES:],
        (known & over[at])[-MINUTES:],
        np.where(known & over[at], bound[at], np.nan)[-MINUTES:],
    )


def _standing(minutes: _Minutes, most: int) -> NDArray[np.int64]:
    """Give for each minute the newest of the chosen minutes that still stands for it, less than `most` ago; else -1."""
    places = np.arange(len(minutes))
    last = np.maximum.accumulate(np.where(minutes, places, -1))
    return np.where(places - last < most, last, -1)


def _span(part: _Part) -> Span:
    """Give what is known of a part: its mean, or only that it lies above its bound; else nothing."""
    bounded, valid = part.over & ~np.isnan(part.bound), ~part.over & ~np.isnan(part.mean)
    low = np.where(bounded, part.bound, np.where(valid, part.mean, -np.inf))
    return low, np.where(valid, part.mean, np.inf)
