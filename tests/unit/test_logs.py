"""This module proves that the log is one line an event, whoever speaks."""

from __future__ import annotations

import json
import subprocess
import sys

SCRIPT = """
import logging
import structlog
from plantmon.logs import configure

configure("info", "json")
structlog.get_logger().info("started", plant="cq-truck")
logging.getLogger("library").warning("said %s", "so")
try:
    raise ValueError("broken")
except ValueError:
    structlog.get_logger().exception("failing")
"""


def test_json_log_is_one_object_a_line() -> None:
    """Our events, a library's warnings and traces come out as one JSON object a line each."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert [event["event"] for event in events] == ["started", "said so", "failing"]
    assert "ValueError: broken" in events[2]["exception"]
