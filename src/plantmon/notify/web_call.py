"""This module makes one HTTP request, and ends it in time whatever the server does.

It never raises for the network and follows no redirect: a secret meant for one server goes to no other. Addresses and
headers may be secrets, so none of their parts is in any answer, even where the server repeats them.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

_BODY_READ = 4096  # of an answer; what matters stands at its beginning
_WORDS_LENGTH = 500
_HIDDEN = "***"
# Shorter parts of an address are words such as /api/v1, which would be crossed out everywhere.
_SHORTEST_SECRET = 6


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to call: an http or https address and headers, which may hold secrets and are never shown."""

    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    timeout_s: float = 20.0

    @property
    def where(self) -> str:
        """Give the host and port, the part of the address that may be shown."""
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered: its status and the beginning of its body; None: nothing, and `words` say why."""

    code: int | None
    words: str
    body: str = ""

    @property
    def is_success(self) -> bool:
        """Whether the status is one of success (RFC 9110, 15.3)."""
        return self.code is not None and self.code // 100 == 2


def header_pairs(lines: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Read `Name: value` lines."""
    split = (line.partition(":") for line in lines)
    return tuple((name.strip(), value.strip()) for name, _, value in split)


def call(endpoint: Endpoint, method: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
    """Make a request and give the answer; all of it takes at most the endpoint's timeout, but for finding the host."""
    late = threading.Event()
    parts = urlsplit(endpoint.url)
    connection = _connection(parts, endpoint.timeout_s)

    def end() -> None:
        late.set()
        with contextlib.suppress(OSError, AttributeError):  # not connected yet, or no more
            connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(endpoint.timeout_s, end)
    timer.daemon = True
    timer.start()
    try:
        connection.connect()
        if late.is_set():
            raise TimeoutError
        sent = {**_login(parts), **headers, **dict(endpoint.headers)}
        connection.request(method, _target(parts), body, sent)
        response = connection.getresponse()
        read = response.read(_BODY_READ)
        if late.is_set():
            raise TimeoutError
        said = read.decode("utf-8", "replace")
        words = " ".join(f"{response.status} {response.reason} {said}".split())
        answer = Answer(response.status, words, said)
    except (OSError, http.client.HTTPException, ValueError) as error:
        is_late = late.is_set() or isinstance(error, TimeoutError)
        answer = Answer(None, "timed out" if is_late else " ".join(str(error).split()) or type(error).__name__)
    finally:
        timer.cancel()
        connection.close()
    return Answer(answer.code, _without(answer.words, _secrets(endpoint))[:_WORDS_LENGTH], answer.body)


def _connection(parts: SplitResult, timeout_s: float) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "https":
        return http.client.HTTPSConnection(host, parts.port, timeout=timeout_s, context=ssl.create_default_context())
    return http.client.HTTPConnection(host, parts.port, timeout=timeout_s)


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _login(parts: SplitResult) -> dict[str, str]:
    """Give the header for a name and password in the address (RFC 7617)."""
    if parts.username is None:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _secrets(endpoint: Endpoint) -> list[str]:
    """List what must not be shown, the longest first."""
    parts = urlsplit(endpoint.url)
    found = [endpoint.url, parts.query, parts.path, parts.password or "", *parts.path.split("/")]
    found += [value for _, value in parse_qsl(parts.query)]
    for _, value in endpoint.headers:
        found += [value, value.rpartition(" ")[2]]
    long = {one for part in found for one in (part, unquote(part)) if len(one) >= _SHORTEST_SECRET}
    return sorted(long, key=len, reverse=True)


def _without(words: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        words = words.replace(secret, _HIDDEN)
    return words
