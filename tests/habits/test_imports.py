"""This module holds the direction of imports: rooms know what lies below them, stages never one another."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "plantmon"

# A room may import from lower rows and from itself; within a row only where NEIGHBOURS says so.
ROWS: tuple[tuple[str, ...], ...] = (
    ("errors", "times", "units", "model"),
    ("tables", "texts", "averages", "plant", "sealed", "settings"),
    ("store",),
    ("feed", "windows", "amounts", "compliance", "alarms", "notify", "esg", "forward", "archive"),
    (
        "archiving",
        "deadlines",
        "declare",
        "exporting",
        "group",
        "importing",
        "ledger",
        "metering",
        "notes",
        "permits",
        "pipeline",
        "publishing",
        "recompute",
        "requests",
        "reports",
        "watch",
        "systemd",
        "logs",
    ),
    (
        "outward",
        "daemon",
        "cli_alarms",
        "cli_archive",
        "cli_caps",
        "cli_context",
        "cli_declare",
        "cli_digest",
        "cli_due",
        "cli_forward",
        "cli_esg",
        "cli_group",
        "cli_ledger",
        "cli_messages",
        "cli_meter",
        "cli_outlook",
        "cli_permit",
        "cli_progress",
        "cli_readings",
        "cli_register",
        "cli_reports",
        "cli_tables",
        "cli",
        "__main__",
        "__init__",
    ),
)
NEIGHBOURS = {
    "model": {"times"},
    "times": set(),
    "units": {"errors"},
    "plant": {"averages", "tables", "texts"},
    "averages": {"tables"},
    "deadlines": {"declare"},
    "ledger": {"declare"},
    "metering": {"declare"},
    "publishing": {"declare"},
    "pipeline": {"deadlines", "importing", "permits", "recompute", "reports"},
    "notes": {"declare", "permits"},
    "requests": {
        "archiving",
        "deadlines",
        "declare",
        "importing",
        "ledger",
        "metering",
        "notes",
        "permits",
        "pipeline",
        "publishing",
    },
    "reports": {"deadlines", "group", "permits"},
    "daemon": {"outward"},
    "cli_alarms": {"cli_context", "daemon"},
    "cli_archive": {"cli_context", "daemon"},
    "cli_caps": {"cli_context", "daemon"},
    "cli_context": {"daemon"},
    "cli_declare": {"cli_context"},
    "cli_digest": {"cli_context", "daemon"},
    "cli_due": {"cli_context", "daemon"},
    "cli_forward": {"cli_context", "daemon", "outward"},
    "cli_esg": {"cli_context", "cli_tables", "daemon"},
    "cli_group": {"cli_context", "cli_tables"},
    "cli_ledger": {"cli_context", "daemon"},
    "cli_messages": {"cli_context", "daemon", "outward"},
    "cli_meter": {"cli_context", "daemon"},
    "cli_outlook": {"cli_context", "daemon"},
    "cli_permit": {"cli_context", "daemon"},
    "cli_progress": {"cli_context"},
    "cli_readings": {"cli_context", "cli_progress", "daemon"},
    "cli_register": {"cli_context", "daemon"},
    "cli_reports": {"cli_context", "daemon"},
    "cli_tables": {"cli_context"},
    "cli": {
        "cli_alarms",
        "cli_archive",
        "cli_caps",
        "cli_context",
        "cli_declare",
        "cli_digest",
        "cli_due",
        "cli_forward",
        "cli_esg",
        "cli_group",
        "cli_ledger",
        "cli_messages",
        "cli_meter",
        "cli_outlook",
        "cli_permit",
        "cli_progress",
        "cli_readings",
        "cli_register",
        "cli_reports",
        "cli_tables",
        "daemon",
    },
    "__main__": {"cli"},
}
# A library is imported in the rooms named here and nowhere else.
LIBRARIES = {
    "paho": {"feed"},
    "smtplib": {"notify"},
    "http": {"notify"},
    "matplotlib": {"notify", "reports"},
    "weasyprint": {"reports"},
    "apscheduler": {"daemon"},
    "ruamel": {"plant"},
    "pydantic_settings": {"settings"},
    "typer": {
        "cli",
        "cli_alarms",
        "cli_archive",
        "cli_caps",
        "cli_context",
        "cli_declare",
        "cli_digest",
        "cli_due",
        "cli_forward",
        "cli_esg",
        "cli_group",
        "cli_ledger",
        "cli_messages",
        "cli_meter",
        "cli_outlook",
        "cli_permit",
        "cli_progress",
        "cli_readings",
        "cli_register",
        "cli_reports",
        "cli_tables",
    },
    "jinja2": {"notify", "reports"},
    "xlsxwriter": {"reports"},
    "zlib": {"model", "store"},
    "openpyxl": {"ledger"},
    "influxdb_client": {"forward"},
    "urllib3": {"forward"},
    "pyarrow": {"sealed"},
}
# Where an import may stand inside a function, and why.
HIDDEN = {
    "exporting.py": "pyarrow takes 35 MB, for those alone who export: the daemon has the commands' modules too",
    "importing/read.py": "likewise for those who import Parquet",
    "notify/chart.py": "matplotlib is an extra: its absence is found out inside one try block",
    "reports/esg/svg.py": "likewise",
    "reports/esg/printing.py": "weasyprint likewise",
    "forward/sender.py": "influxdb-client takes 40 MB, for those alone who have an InfluxDB",
    "forward/reader.py": "likewise its urllib3",
}
# Where the system may be asked for the time, and why.
CLOCKS = {
    "daemon.py": "owns the clock",
    "cli.py": "a command runs now",
    "cli_group.py": "a report is made now",
    "cli_forward.py": "compares the server's clock with this machine's",
    "times.py": "Clock itself",
    "feed/session.py": "spans of real time: back-off and stalls",
    "feed/inflow.py": "gathers a batch for milliseconds of real time",
    "cli_progress.py": "a bar is drawn twice a second of real time",
    "store/writer.py": "the watchdog looks at real time",
    "store/inbox.py": "waits for an answer in real time",
    "notify/draftsman.py": "waits 300 ms of real time for a chart",
    "notify/smtp.py": "the network's own time",
}
_TIME_CALLS = {"time.time", "time.time_ns", "time.monotonic", "datetime.now", "datetime.utcnow", "date.today"}


def _modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def _room(path: Path) -> str:
    part = path.relative_to(SOURCE).parts[0]
    return part.removesuffix(".py")


def _row(room: str) -> int:
    return next(number for number, rooms in enumerate(ROWS) if room in rooms)


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                yield f"{node.module}.{alias.name}"


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_direction_of_imports(path: Path) -> None:
    """A module imports only from lower rows, its own room, and the neighbours its room may know."""
    room = _room(path)
    for name in _imports(ast.parse(path.read_text("utf-8"))):
        if not name.startswith("plantmon.") or name == "plantmon.__version__":
            continue
        other = name.split(".")[1]
        if other == room or not any(other in rooms for rooms in ROWS):
            continue
        below = _row(other) < _row(room)
        assert below or other in NEIGHBOURS.get(room, set()), f"{room} imports {name}"


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_stand_at_the_top(path: Path) -> None:
    """No import hides inside a function or behind TYPE_CHECKING."""
    tree = ast.parse(path.read_text("utf-8"))
    top = {id(node) for node in tree.body}
    hidden = [
        node.lineno for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in top
    ]
    allowed = str(path.relative_to(SOURCE)) in HIDDEN
    assert not hidden or allowed, f"imports at lines {hidden}"


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_libraries_have_one_room(path: Path) -> None:
    """Each outside library that matters is imported in its own room alone."""
    for name in _imports(ast.parse(path.read_text("utf-8"))):
        rooms = LIBRARIES.get(name.split(".")[0])
        assert rooms is None or _room(path) in rooms, f"{name} in {_room(path)}"


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_only_the_store_opens_databases(path: Path) -> None:
    """Outside the store sqlite3 is only a name for types and errors."""
    if _room(path) == "store":
        return
    calls = [
        ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)
    ]
    assert "sqlite3.connect" not in calls


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_time_is_an_argument(path: Path) -> None:
    """Only the places named in CLOCKS ask the system for the time (design rule: time is an argument)."""
    calls = {
        ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)
    }
    asked = calls & _TIME_CALLS
    assert not asked or str(path.relative_to(SOURCE)) in CLOCKS, f"asks {asked}"
