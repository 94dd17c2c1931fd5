"""This module draws charts, as the child process `python -m plantmon.notify.chart`.

Nothing else of plantmon imports it but the child that draws for reports: matplotlib is an extra, takes seconds to load
and tens of megabytes to hold. The child reads requests from its standard input and ends when that closes. It draws one
chart before its greeting, so that fonts are found and caches are filled when the first alarm comes.
"""

from __future__ import annotations

import io
import os
import signal
import statistics
import sys
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from math import isnan
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from matplotlib import font_manager, rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from PIL import Image

from plantmon.notify.drawing import (
    HEIGHT_PX,
    WIDTH_PX,
    Answer,
    Drawing,
    Greeting,
    Labels,
    Request,
    frame,
    read_frame,
)
from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

# Families with Chinese characters, the best looking first; and the files Debian and others ship them in, for fonts
# installed after matplotlib made its list.
_CJK_FAMILIES = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "PingFang SC",
    "SimHei",
    "Droid Sans Fallback",
)
_CJK_FILES = ("notosanscjk", "notosanssc", "sourcehansans", "wqy-", "msyh", "simhei", "droidsansfallback")
_LATIN_FAMILY = "DejaVu Sans"

_DPI = 150
_BOX = (0.1, 0.215, 0.86, 0.66)  # of the picture: fixed, because fitting the margins means drawing everything twice
_COLOURS = 64  # enough for a few colours and their soft edges, and a third of the bytes
_TICK_HOURS = 4
_FONT_PT = 13  # a phone shows the picture at 0.4 of its width: these are 11 px there
_INK, _FAINT, _GRID = "#1f2933", "#52606d", "#e4e7eb"
_LINE, _LIMIT, _SHADE = "#1d5fa8", "#b42318", "#fbd5d0"
_GAP_INTERVALS = 3.5  # a longer silence than so many usual intervals breaks the line
_HEADROOM = 0.12  # of the axis, above the highest and below the lowest of line and limit


def cjk_family() -> str | None:
    """Give the first installed font family that has Chinese characters; None when there is none."""
    known = {font.name for font in font_manager.fontManager.ttflist}
    found = next((family for family in _CJK_FAMILIES if family in known), None)
    if found is not None:
        return found
    for path in font_manager.findSystemFonts():
        if Path(path).name.lower().startswith(_CJK_FILES):
            font_manager.fontManager.addfont(path)
    known = {font.name for font in font_manager.fontManager.ttflist}
    return next((family for family in _CJK_FAMILIES if family in known), None)


def draw(drawing: Drawing, cjk: str | None) -> bytes:
    """Draw one chart as PNG; with its English labels when no font has the others (`cjk` is None)."""
    families = [_LATIN_FAMILY, cjk] if cjk else [_LATIN_FAMILY]
    with rc_context({"font.family": families, "font.size": _FONT_PT, "axes.unicode_minus": False}):
        figure = Figure(figsize=(WIDTH_PX / _DPI, HEIGHT_PX / _DPI), dpi=_DPI)
        canvas = FigureCanvasAgg(figure)
        _plot(figure.add_axes(_BOX), drawing, drawing.labels if cjk else drawing.plain)
        canvas.draw()  # type: ignore[no-untyped-call]
        pixels = Image.fromarray(np.asarray(canvas.buffer_rgba())[:, :, :3])  # type: ignore[no-untyped-call]
    drawn = pixels.quantize(_COLOURS, method=Image.Quantize.FASTOCTREE)
    palette, corner = drawn.getpalette() or [], drawn.getpixel((0, 0))
    if isinstance(corner, int):  # the method misses pure white by a little, which shows on a white page
        palette[3 * corner : 3 * corner + 3] = (255, 255, 255)
        drawn.putpalette(palette)
    picture = io.BytesIO()
    drawn.save(picture, format="PNG")
    return picture.getvalue()


def _plot(axes: Axes, drawing: Drawing, labels: Labels) -> None:
    zone = ZoneInfo(drawing.zone)
    for start_ms, end_ms in drawing.shaded:
        axes.axvspan(start_ms, end_ms, color=_SHADE, linewidth=0, zorder=0)
    times_ms, values = _broken(drawing.times_ms, drawing.values)
    marker = "o" if len(values) < 2 else None
    axes.plot(times_ms, values, color=_LINE, linewidth=1.8, marker=marker)
    if drawing.bound is not None:
        axes.axhline(drawing.bound, color=_LIMIT, linewidth=1.8, linestyle=(0, (5, 2)))
        axes.annotate(
            labels.limit,
            (0, drawing.bound),
            xycoords=("axes fraction", "data"),
            xytext=(4, 5),
            textcoords="offset points",
            color=_LIMIT,
            fontsize=_FONT_PT,
        )
    axes.set_ylim(*_range(values, drawing.bound))
    axes.set_xlim(drawing.start_ms, drawing.end_ms)
    axes.set_title(labels.title, loc="left", color=_INK, fontsize=_FONT_PT)
    hours = _hours(drawing, zone)
    axes.set_xticks(hours, [f"{_local(at, zone):%H:%M}" for at in hours])
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel(labels.zone, color=_FAINT, fontsize=_FONT_PT - 1)
    axes.grid(color=_GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_FAINT, labelsize=_FONT_PT, length=0)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(_FAINT)


def _local(at_ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at_ms / SECOND_MS, zone)


def _hours(drawing: Drawing, zone: ZoneInfo) -> list[int]:
    """Give the instants inside the chart at which the plant's clocks show a fourth hour."""
    start_ms = -(-drawing.start_ms // HOUR_MS) * HOUR_MS
    offset_min = _local(start_ms, zone).minute  # zones half an hour or a quarter off
    hours = range(start_ms - offset_min * MINUTE_MS, drawing.end_ms + 1, HOUR_MS)
    return [at for at in hours if at >= drawing.start_ms and _local(at, zone).hour % _TICK_HOURS == 0]


def _broken(times_ms: Sequence[int], values: Sequence[float]) -> tuple[list[int], list[float]]:
    """Put a NaN into each silence, so that the line does not run over what nobody measured."""
    if len(times_ms) < 3:
        return list(times_ms), list(values)
    usual_ms = statistics.median(later - earlier for earlier, later in pairwise(times_ms))
    out_times, out_values = [times_ms[0]], [values[0]]
    for (before, at), value in zip(pairwise(times_ms), values[1:], strict=True):
        if at - before > _GAP_INTERVALS * usual_ms:
            out_times.append(before + 1)
            out_values.append(float("nan"))
        out_times.append(at)
        out_values.append(value)
    return out_times, out_values


def _range(values: Sequence[float], bound: float | None) -> tuple[float, float]:
    """Give the value axis: line and limit with air above and below, from zero where that is near."""
    known = [value for value in values if not isnan(value)] + ([bound] if bound is not None else [])
    low, high = min(known, default=0.0), max(known, default=1.0)
    if 0 <= low < 0.6 * high:
        low = 0.0
    air = (high - low or abs(high) or 1.0) * _HEADROOM
    return (low if low == 0 else low - air), high + 1.5 * air


def _warm(cjk: str | None) -> None:
    labels = Labels("预热 warm-up, mg/m³", "限值 limit 1", "UTC+8")
    draw(Drawing([0, HOUR_MS], [0.0, 2.0], 0, DAY_MS, 1.0, [(0, HOUR_MS)], "UTC", labels, labels), cjk)


def main() -> None:
    """Answer requests until standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C reaches us too; the parent decides when we end
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not get between the frames
    cjk = cjk_family()
    _warm(cjk)
    answers.write(frame(Greeting(cjk is not None)))
    answers.flush()
    while (body := read_frame(requests)) is not None:
        request = msgspec.msgpack.decode(body, type=Request)
        try:
            answer = Answer(request.number, draw(request.drawing, cjk))
        except Exception as error:
            answer = Answer(request.number, b"", f"{type(error).__name__}: {error}")
        answers.write(frame(answer))
        answers.flush()


if __name__ == "__main__":
    main()
