"""This module draws the charts of the annual tables as SVG, as the child process `python -m plantmon.reports.esg.svg`.

Nothing else of plantmon imports it. Letters become outlines, so that a picture looks the same everywhere and needs no
font; nothing in it tells when it was drawn, so that the same figures give the same file.
"""

from __future__ import annotations

import io
import sys
import textwrap
from typing import Any

import msgspec

from plantmon.reports.esg.charts import NO_LIBRARY, Bars, Drawings, Pictures, Stack

try:
    from matplotlib import rc_context
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    from plantmon.notify.chart import cjk_family
except ImportError:
    sys.exit(NO_LIBRARY)

_INK, _FAINT, _GRID, _WRONG = "#1b2733", "#5b6875", "#e4e7eb", "#b42318"
_LESS, _MORE, _USED = "#2f7d6b", "#c4812b", "#1d5fa8"
# Told apart in print and by the colour-blind: after Okabe and Ito, softened.
_PARTS = ("#1d5fa8", "#e0a030", "#2f7d6b", "#7fb2d9", "#c4602b", "#8a6fa8", "#9aa6b2", "#d5c95a")
_WIDTH, _HEIGHT = 7.2, 2.4  # inches: the width of A4 between its margins
_BARS_WIDTH, _BARS_HEIGHT = 3.55, 2.5  # two beside each other
_BARS_HELD, _BAR_HEIGHT = 10, 0.21  # bars that fit, and the height of each beyond them
_SETTINGS: Any = {
    "font.size": 7.5, "axes.unicode_minus": False, "svg.fonttype": "path", "svg.hashsalt": "plantmon",
    "axes.edgecolor": _FAINT, "text.color": _INK,
}  # fmt: skip
_LABEL_LETTERS = 26
_LEAST_BARS = 6  # a bar is no thicker than one of so many
_LABEL_ROOM = 0.3  # of the axis, for what is written beside the longest bar


def main() -> None:
    """Answer one request on standard output."""
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=Drawings)
    cjk = cjk_family()
    families = ["DejaVu Sans", cjk] if cjk else ["DejaVu Sans"]
    with rc_context(_SETTINGS | {"font.family": families}):
        pictures = [_draw(drawing) for drawing in (asked.drawings if cjk else asked.plain)]
    sys.stdout.buffer.write(msgspec.json.encode(Pictures(pictures, cjk is not None)))


def _draw(drawing: Stack | Bars) -> str:
    size = (_WIDTH, _HEIGHT)
    if isinstance(drawing, Bars):
        height = _BARS_HEIGHT + _BAR_HEIGHT * max(0, len(drawing.bars) - _BARS_HELD)
        size = (_WIDTH if drawing.is_wide else _BARS_WIDTH, height)
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    figure.suptitle(drawing.title, x=0.01, ha="left", fontsize=9, fontweight="bold", color=_INK)
    if isinstance(drawing, Stack):
        _stack(axes, drawing)
    else:
        _bars(axes, drawing)
    axes.tick_params(colors=_FAINT, length=0)
    axes.set_axisbelow(True)
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    drawn = out.getvalue()
    return drawn[drawn.index("<svg") :]


def _stack(axes: Axes, drawing: Stack) -> None:
    below = [0.0] * len(drawing.months)
    for place, (name, values) in enumerate(drawing.parts):
        colour = _PARTS[place % len(_PARTS)]
        axes.bar(drawing.months, values, bottom=below, width=0.68, color=colour, label=name, linewidth=0)
        below = [low + value for low, value in zip(below, values, strict=True)]
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.grid(axis="y", color=_GRID, linewidth=0.7)
    axes.margins(x=0.01)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
    axes.figure.legend(loc="outside right upper", frameon=False, fontsize=7.5, reverse=True)


def _bars(axes: Axes, drawing: Bars) -> None:
    places = range(len(drawing.bars))
    lengths = [bar.pct for bar in drawing.bars]
    if drawing.is_cap:
        colours = [_WRONG if length > 100 else _USED for length in lengths]
        axes.axvline(100, color=_WRONG, linewidth=1.1, linestyle=(0, (4, 2)))
    else:
        colours = [_LESS if length < 0 else _MORE for length in lengths]
        axes.axvline(0, color=_FAINT, linewidth=0.8)
    axes.barh(places, lengths, height=0.62, color=colours, linewidth=0)
    low, high = min(0.0, *lengths), max(100.0 if drawing.is_cap else 0.0, *lengths)
    axes.set_xlim(low, high + (high - low or 1.0) * _LABEL_ROOM)
    axes.set_ylim(-0.6, max(len(drawing.bars), _LEAST_BARS) - 0.4)
    for place, bar in zip(places, drawing.bars, strict=True):
        # Right of its bar; of one that goes to the left right of zero, where nothing else is written.
        axes.annotate(
            bar.beside, (max(0.0, bar.pct), place), xytext=(3, 0), textcoords="offset points", fontsize=7, va="center",
            color=_INK, bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.6},
        )  # fmt: skip
    axes.set_yticks(list(places), [_wrapped(bar.label, drawing.is_wide) for bar in drawing.bars])
    axes.invert_yaxis()
    axes.tick_params(axis="y", labelcolor=_INK)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=3))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} %"))
    axes.grid(axis="x", color=_GRID, linewidth=0.7)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _wrapped(label: str, is_wide: bool) -> str:
    """Break a long label where its words part, so that the bars keep their room."""
    return label if is_wide else "\n".join(textwrap.wrap(label, _LABEL_LETTERS))


if __name__ == "__main__":
    main()
