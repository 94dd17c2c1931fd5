"""This module proves that the chart child is warm, keeps no mail waiting, and gives none another's chart."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from notify_plant import NOW, breach, plant, plausible_series
from structlog.testing import capture_logs

from plantmon.notify import draftsman
from plantmon.notify import facts as facts_of
from plantmon.notify.draftsman import ChartChild
from plantmon.notify.drawing import Drawing
from plantmon.notify.sketch import sketch

pytestmark = pytest.mark.timeout(120)

# A child that speaks the frames but needs no matplotlib: it draws "<limit label>" and takes as long as the title says.
FAKE = """
import sys, time, msgspec
from plantmon.notify.drawing import Answer, Greeting, Request, frame, read_frame
out = sys.stdout.buffer
out.write(frame(Greeting({has_cjk}))); out.flush()
while (body := read_frame(sys.stdin.buffer)) is not None:
    request = msgspec.msgpack.decode(body, type=Request)
    if request.drawing.labels.title == "die":
        sys.exit(3)
    time.sleep(float(request.drawing.labels.title))
    out.write(frame(Answer(request.number, request.drawing.labels.limit.encode()))); out.flush()
"""


def fake(has_cjk: bool = True) -> ChartChild:
    """Give a draftsman with the child above, started and warm."""
    child = ChartChild((sys.executable, "-c", FAKE.replace("{has_cjk}", str(has_cjk))))
    warm(child)
    return child


def warm(child: ChartChild) -> None:
    """Wait until the child can draw."""
    child.start()
    until = time.monotonic() + 30
    while not child.is_warm:
        assert time.monotonic() < until
        time.sleep(0.02)


def drawing(title: str = "0", limit: str = "x") -> Drawing:
    """Give a drawing whose labels tell the fake child what to do."""
    made = sketch(facts_of.read(breach()), plant(), "en", NOW, plausible_series)
    assert made is not None
    labels = type(made.labels)(title, limit, "")
    return Drawing(made.times_ms, made.values, made.start_ms, made.end_ms, 60.0, [], "UTC", labels, labels)


@pytest.fixture
def child() -> Iterator[ChartChild]:
    """Give a fake child and end it."""
    made = fake()
    yield made
    made.close()


def test_warm_child_draws_in_time() -> None:
    """The real child, warm, draws a day of minutes within the mail's wait."""
    child = ChartChild()
    warm(child)
    try:
        pictures = [child.draw(drawing(), 3) for _ in range(3)]
        assert all(picture is not None and picture.startswith(b"\x89PNG") for picture in pictures)
    finally:
        child.close()


def test_late_chart_is_none_and_never_the_next_ones(child: ChartChild) -> None:
    """A chart that takes too long is given up, and its late answer is not taken for the next chart."""
    begun = time.monotonic()
    assert child.draw(drawing("0.5", "late"), 0.1) is None
    assert time.monotonic() - begun < 0.3
    assert child.draw(drawing("0", "next"), 3) == b"next"
    assert child.draw(drawing("0", "third"), 3) == b"third"


def test_busy_child_costs_one_wait_only(child: ChartChild) -> None:
    """While the child is busy with a late chart, other mails wait no longer than they would."""
    assert child.draw(drawing("1.5"), 0.05) is None
    begun = time.monotonic()
    assert child.draw(drawing("0"), 0.1) is None
    assert time.monotonic() - begun < 0.3


def test_dead_child_is_started_again_but_not_in_a_circle(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that died is replaced at the first chart after the pause, and not before."""
    child = fake()
    with capture_logs() as logs:
        assert child.draw(drawing("die"), 3) is None
        assert child.draw(drawing("0"), 0.2) is None
    assert [(line["event"], line["code"]) for line in logs] == [("chart_child_ended", 3)] or logs[0]["code"] in (3, -9)
    monkeypatch.setattr(draftsman, "RESTART_S", 0.0)
    warm(child)
    assert child.draw(drawing("0", "again"), 3) == b"again"
    child.close()


def test_child_ends_with_its_input() -> None:
    """The real child ends when its parent's end of the pipe closes, as it does when the parent is killed."""
    script = (
        "import sys, time; from plantmon.notify.draftsman import ChartChild\n"
        "child = ChartChild(); child.start(); print(child._process.pid, flush=True); time.sleep(60)"
    )
    source = Path(draftsman.__file__).parents[2]
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, env={"PYTHONPATH": str(source)}, text=True
    )
    assert parent.stdout is not None
    number = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 30
    while _is_running(number):
        assert time.monotonic() < until
        time.sleep(0.05)


def _is_running(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_missing_font_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a Chinese font the log names the packages, once, however often the child is started."""
    monkeypatch.setattr(draftsman, "RESTART_S", 0.0)
    with capture_logs() as logs:
        child = fake(has_cjk=False)
        child.draw(drawing("die"), 1)
        warm(child)
        child.close()
    said = [line for line in logs if line["event"] == "charts_in_english"]
    assert len(said) == 1
    assert "fonts-noto-cjk" in said[0]["install"]


def test_without_matplotlib_there_is_one_line_and_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is not installed, charts are off, the log says so once, and nothing is started."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with capture_logs() as logs:
        child = ChartChild()
        assert [child.draw(drawing(), 0.1) for _ in range(3)] == [None, None, None]
    assert [line["event"] for line in logs] == ["charts_off"]
    child.close()
