"""This module tells the book of stories with a daemon that is killed after every step, at any moment of its work."""

from __future__ import annotations

from pathlib import Path

import pytest
from live_story import Boxes, tell
from stories import STORIES

from simulators.mailbox import Mailbox

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


@pytest.mark.parametrize("name", STORIES)
def test_story_with_kills(name: str, tmp_path: Path) -> None:
    """People hear what the story says, in its order; a mail comes twice only where a kill fell upon its acceptance."""
    with Mailbox(tmp_path / "mails") as box:
        tell(tmp_path, *STORIES[name], "kill", Boxes(box))
