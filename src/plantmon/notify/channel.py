"""This module says what a second channel is, and holds the one of our own: JSON posted to a web address.

Whether trying again can help is decided here. Only an answer that speaks of the message itself ends its way; an address
that is not found, a login that is refused or a service that is away is for an administrator to mend, and waits.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from string import Template
from typing import Any, Protocol

from plantmon.model.notice import Notice
from plantmon.notify.smtp import ACCEPTED, QUEUED, REFUSED, Reply
from plantmon.notify.web_call import Endpoint, call

# RFC 9110, 15.5: bad request, content too large, unsupported media type, unprocessable content.
_ABOUT_THE_MESSAGE = frozenset({400, 413, 415, 422})


class Channel(Protocol):
    """A second way to people."""

    kind: str  # webhook, apprise

    @property
    def where(self) -> str:
        """Give the server, without anything secret."""

    def compose(self, notice: Notice) -> bytes:
        """Give what is sent in each try."""

    def send(self, key: str, body: bytes) -> Reply:
        """Send it. Never raises for the network."""


class Webhook:
    """Posts JSON: all fields of the notice, or the template with them filled in.

    `expect` is a text that the answer must hold to count as accepted, for services that say what went wrong under 200.
    """

    kind = "webhook"

    def __init__(self, endpoint: Endpoint, template: str | None = None, expect: str | None = None) -> None:
        self._endpoint = endpoint
        self._template = None if template is None else json.loads(template)
        self._expect = expect

    @property
    def where(self) -> str:
        """Give the server's host and port."""
        return self._endpoint.where

    def compose(self, notice: Notice) -> bytes:
        """Give the JSON."""
        fields = asdict(notice)
        body = fields if self._template is None else fill(self._template, fields)
        return json.dumps(body, ensure_ascii=False).encode()

    def send(self, key: str, body: bytes) -> Reply:
        """Post it; only a status of success, with the text that is expected, accepts it."""
        headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "plantmon", "Idempotency-Key": key}
        answer = call(self._endpoint, "POST", body, headers)
        if answer.is_success and (self._expect is None or self._expect in answer.body):
            return Reply(ACCEPTED, answer.words, code=answer.code)
        is_final = answer.code in _ABOUT_THE_MESSAGE
        return Reply(REFUSED if is_final else QUEUED, answer.words, is_reached=is_final, code=answer.code)


def fill(template: Any, fields: dict[str, Any]) -> Any:
    """Fill `$name` in the texts of a JSON value; a text that is nothing else becomes the field itself.

    >>> fill({"no": "$alarm", "text": ["alarm $alarm"]}, {"alarm": 12})
    {'no': 12, 'text': ['alarm 12']}
    """
    if isinstance(template, dict):
        return {key: fill(value, fields) for key, value in template.items()}
    if isinstance(template, list):
        return [fill(value, fields) for value in template]
    if not isinstance(template, str):
        return template
    name = template.removeprefix("$").removeprefix("{").removesuffix("}")
    if template in (f"${name}", f"${{{name}}}") and name in fields:
        return fields[name]
    return Template(template).substitute({name: "" if value is None else value for name, value in fields.items()})
