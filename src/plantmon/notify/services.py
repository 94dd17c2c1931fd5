"""This module sends to chat and telephone services through apprise, an extra that is loaded only where it is asked for.

apprise knows the services; it gives no answer of theirs and takes no idempotency key, so that a repeat after a crash is
a second message there, with the same text.
"""

from __future__ import annotations

import importlib
import json
import logging
from collections.abc import Sequence

from plantmon.errors import SettingsError
from plantmon.model.notice import Notice
from plantmon.notify.smtp import ACCEPTED, QUEUED, Reply


class Services:
    """Services by apprise's addresses, which hold secrets. Raises SettingsError without apprise or for a bad one."""

    kind = "apprise"

    def __init__(self, urls: Sequence[str]) -> None:
        try:
            apprise = importlib.import_module("apprise")
        except ImportError:
            raise SettingsError(
                "second_channel.kind is apprise, which is not installed: pip install 'plantmon[apprise]'"
            ) from None
        logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its lines can hold addresses, and so secrets
        self._services = []
        for number, url in enumerate(urls, 1):
            service = apprise.Apprise()
            if not service.add(url):
                raise SettingsError(f"second_channel.urls: apprise does not know the address in line {number}")
            self._services.append(service)

    @property
    def where(self) -> str:
        """Say how many services there are; their addresses are secret."""
        return f"apprise ({len(self._services)})"

    def compose(self, notice: Notice) -> bytes:
        """Give title and text."""
        return json.dumps({"title": notice.title, "text": notice.text}, ensure_ascii=False).encode()

    def send(self, key: str, body: bytes) -> Reply:
        """Tell each service; one that takes it is enough, for then somebody knows."""
        said = json.loads(body)
        took = sum(bool(service.notify(title=said["title"], body=said["text"])) for service in self._services)
        answer = f"{took} of {len(self._services)} services took it"
        return Reply(ACCEPTED, answer) if took else Reply(QUEUED, answer, is_reached=False)
