"""This module writes the annual tables as one page: no script, nothing loaded from elsewhere, made for A4."""

from __future__ import annotations

import re

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from plantmon.reports.esg import beside, plants, tables
from plantmon.reports.esg.charts import Charts
from plantmon.reports.esg.material import Material
from plantmon.reports.esg.tables import Table

_TEMPLATES = Environment(
    loader=PackageLoader("plantmon.reports", "templates"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_MANY_COLUMNS = 11  # a table with more stands on a sheet turned on its side
_FEW_ROWS = 8  # a table with no more is not cut between sheets
_ID = re.compile(r'(\bid="|href="#|url\(#)')


def page(material: Material, charts: Charts) -> str:
    """Write the page."""
    speech = material.speech
    against = [tables.targets(material), *beside.meters(material)]
    ours = [plants.plants(material), plants.by_plant(material)]
    behind = [beside.caps(material), beside.months(material), beside.factors(material), beside.ledger(material),
              beside.meters_used(material)]  # fmt: skip
    # A month or quarter is read for its workshops against their targets, a year for its figures.
    is_year = material.kind == "year"
    return _TEMPLATES.get_template("esg.html").render(
        language="en" if material.language == "en" else "zh-CN",
        title=tables.title(material),
        plant=speech.name(material.plant_name),
        period=material.annual.period,
        facts=tables.facts(material)[1:],
        notices=tables.notices(material),
        tiles=tables.tiles(material),
        key_figures=speech.say("key_figures"),
        # Our own drawings; each with names of its own, since all stand in one page.
        charts=[
            (Markup(_named(drawn, place)), is_wide)  # noqa: S704
            for place, (drawn, is_wide) in enumerate(zip(charts.pictures, charts.is_wide, strict=True))
        ],
        chart_remark=speech.say(charts.remark) if charts.remark else "",
        figures=_present(([] if is_year else against) + [*tables.groups(material)]),
        legend=tables.legend(material),
        others=_present([*ours, beside.restated(material), *(against if is_year else []), *behind]),
        is_short=lambda table: len(table.rows) <= _FEW_ROWS,
        is_wide=lambda table: len(table.headings) > _MANY_COLUMNS,
    )


def _present(found: list[Table | None]) -> list[Table]:
    return [table for table in found if table is not None]


def _named(drawn: str, place: int) -> str:
    return _ID.sub(rf"\g<1>c{place}-", drawn)
