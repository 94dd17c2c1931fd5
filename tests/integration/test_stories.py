"""This module tells the book of stories through a real broker, a real mail server and the real daemon.

Each once as it is, and once with the daemon restarted after every step; `test_stories_killed.py` kills it there.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from live_story import Boxes, EximOffice, tell, words_of
from stories import EXIM, STORIES, STORM, people, rto_trip

from simulators.exim import exim
from simulators.mailbox import Mailbox

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


@pytest.mark.parametrize("manner", ["", "restart"], ids=["", "restarted"])
@pytest.mark.parametrize("name", STORIES)
def test_story(name: str, manner: str, tmp_path: Path) -> None:
    """People hear what the story says, in its order and once, also when the daemon is restarted after each step."""
    with Mailbox(tmp_path / "mails") as box:
        live = tell(tmp_path, *STORIES[name], manner, Boxes(box))
    if name == "storm":
        assert live.service.query("SELECT count(*) FROM alarm WHERE kind = 'breach'") == [(STORM,)]


@pytest.mark.skipif(shutil.which("exim4", path="/usr/sbin:/usr/bin") is None, reason="exim4 is not installed")
def test_story_through_exim(tmp_path: Path) -> None:
    """The same trip of the RTO, with Debian's own mail server."""
    with exim() as server:
        tell(tmp_path, lambda live: rto_trip(live, "open"), people(EXIM), "2026-03-03 08:00", "", EximOffice(server))
        warned, breached, cleared = server.mails()
    # Minutes of the hour from 08:00 on: 9 at 20, 51 at 120 mg/m3; 105, which is 45 above.
    titles = ("Warning: heading over its limit", "Breach", "Breach (cleared)")
    for mail, title in zip((warned, breached, cleared), titles, strict=True):
        assert words_of(mail)[0].startswith(f"[plantmon] {title}: DA002 Coating line ")
        assert mail["To"] == "open@x.test"
        assert "(Exim " in mail["Received"]
    assert words_of(breached)[0].endswith("1h mean 105 mg/m3 > 60 mg/m3")
    assert "limit 60 mg/m³, 45 mg/m³ above (75 %)" in words_of(breached)[1]
    assert words_of(cleared)[0].endswith("lasted 1 h, peak 105 mg/m3")
    assert cleared["In-Reply-To"] == breached["Message-ID"]  # one conversation
    assert breached["In-Reply-To"] is None
