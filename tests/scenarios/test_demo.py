"""This module proves that the demo does what the README says, as a person without a terminal would run it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from simulators.service import eventually

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "simulators.demo", "--folder"]


def _environment(seconds: str) -> dict[str, str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith("PLANTMON_")}
    return others | {"DEMO_SECONDS": seconds}


def test_demo_mails_both_breaches(tmp_path: Path) -> None:
    """Half a minute: a day of history, the single readings' breach, the hour's breach, and no alarm besides."""
    found = subprocess.run(
        [*COMMAND, tmp_path], cwd=ROOT, env=_environment("32"), capture_output=True, text=True, check=False, timeout=120
    )
    assert found.returncode == 0, found.stdout + found.stderr
    summary = json.loads(found.stdout.splitlines()[-1])
    assert summary["readings_stored"] > 60_000
    assert summary["windows_closed"] > 500
    assert summary["alarms_raised"] == 3, found.stdout  # both breaches, and the warning that the hour is being lost
    assert summary["breach_mails"] == 2
    assert summary["mails_delivered"] == len(list((tmp_path / "mails").glob("*.eml")))
    pages = [page.read_text(encoding="utf-8") for page in sorted((tmp_path / "mails").glob("*.html"))]
    assert "760" in pages[0]
    assert "data:image/png" in pages[1]


def test_demo_without_a_breach_fails(tmp_path: Path) -> None:
    """Ended before anything was breached, it says so by its status."""
    found = subprocess.run(
        [*COMMAND, tmp_path], cwd=ROOT, env=_environment("0.5"), capture_output=True, text=True, check=False, timeout=60
    )
    assert found.returncode == 1
    assert json.loads(found.stdout.splitlines()[-1])["breach_mails"] == 0


def test_interrupt_ends_everything(tmp_path: Path) -> None:
    """Ctrl-C ends broker, plant and daemon in good order, with the summary as the last line."""
    demo = subprocess.Popen(
        [*COMMAND, tmp_path], cwd=ROOT, env=_environment(""), stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    log = tmp_path / "plantmon.log"
    assert eventually(lambda: log.exists() and "started" in log.read_text(), limit_s=30)
    time.sleep(1)
    os.killpg(demo.pid, signal.SIGINT)
    said, _ = demo.communicate(timeout=40)
    assert json.loads(said.splitlines()[-1])["readings_stored"] >= 0
    assert "stopped" in log.read_text()
