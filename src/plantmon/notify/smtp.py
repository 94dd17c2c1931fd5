"""This module speaks SMTP: one message, one transaction, an exact answer for each address.

Whether trying again can help is decided here, where the fault is met. A 5xx that speaks of one recipient, or of the
message, is final. Everything else leaves the delivery queued: the server away or slow, TLS that fails, a login that is
refused or missing (an administrator mends it), 4xx, and any answer that SMTP does not foresee.
"""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from plantmon.errors import DeliveryError

T = TypeVar("T")

ACCEPTED, QUEUED, REFUSED = "accepted", "queued", "refused"

# 5xx answers that speak of our session or login and not of the recipient or the message: bad sequence, TLS or
# authentication wanted, too weak, failed, needs encryption (RFC 5321 4.2.3, RFC 4954 section 6).
_SESSION_FAULTS = frozenset({503, 530, 534, 535, 538})
_ANSWER_LENGTH = 500  # of a server's answer this much is kept
_QUIT_TIMEOUT_S = 1.0  # the answer to QUIT changes nothing
_SERVER_CLOSES = 421
_LEAST_CODE, _MOST_CODE = 200, 599
_NOT_IN_ADDRESSES = frozenset(" <>")


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails are handed in. `ca` is a PEM file of one's own certificate authority, None for the system's."""

    host: str
    port: int = 25
    security: str = "none"  # none, starttls, tls
    username: str | None = None
    password: str | None = None
    timeout_s: float = 20.0
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of one address: accepted, queued (try again) or refused, with the server's words.

    `is_reached` is false where the fault was the server's or the line's: another message would meet it as well.
    `is_midway` says that the line failed only after the server had begun to take this message. `code` is the answer
    as a number, None where the server gave none.
    """

    state: str
    answer: str
    is_reached: bool = True
    is_midway: bool = False
    code: int | None = None


def send(server: MailServer, mime: bytes, sender: str, addresses: Sequence[str]) -> dict[str, Reply]:
    """Hand one message in for all addresses in one transaction; give an answer for each. Never raises for the network.

    `mime` has CRLF line ends. An address counts as accepted only when the server has acknowledged the whole message.
    """
    replies: dict[str, Reply] = {}
    try:
        with _session(server) as smtp:
            _transact(smtp, mime, sender, addresses, replies)
    except _Midway as error:
        reply = Reply(QUEUED, str(error), is_reached=False, is_midway=True, code=error.code)
        return replies | _rest(replies, addresses, reply)
    except DeliveryError as error:
        return replies | _rest(replies, addresses, Reply(QUEUED, str(error), is_reached=False, code=error.code))
    return replies


class _Midway(DeliveryError):
    """The line failed inside a transaction."""


class _ServerLeaves(smtplib.SMTPResponseException):
    """The server answered that it ends the connection, or what no mail server answers."""


def _rest(replies: dict[str, Reply], addresses: Sequence[str], reply: Reply) -> dict[str, Reply]:
    return {address: reply for address in addresses if address not in replies}


@contextmanager
def _session(server: MailServer) -> Iterator[smtplib.SMTP]:
    """Hold a connection, secured and logged in. Raises DeliveryError (retriable) when there is none to be had."""
    where = f"{server.host}:{server.port}"
    smtp = _attempt(where, lambda: _connect(server))
    try:
        _attempt(where, lambda: _open(server, smtp))
        yield smtp
        with contextlib.suppress(smtplib.SMTPException, OSError):
            if smtp.sock is not None:
                smtp.sock.settimeout(_QUIT_TIMEOUT_S)
            smtp.quit()
    finally:
        smtp.close()


def _attempt(where: str, step: Callable[[], T]) -> T:
    try:
        return step()
    except (smtplib.SMTPException, OSError, UnicodeError, ValueError) as error:
        raise DeliveryError(f"{where}: {_words(error)}", retriable=True, code=_code(error)) from error


def _connect(server: MailServer) -> smtplib.SMTP:
    # The host's bare name: smtplib's own choice asks the DNS, which may take seconds when the network is down.
    name = socket.gethostname() or "localhost"
    if server.security == "tls":
        context = _tls(server)
        return smtplib.SMTP_SSL(server.host, server.port, name, timeout=server.timeout_s, context=context)
    return smtplib.SMTP(server.host, server.port, name, timeout=server.timeout_s)


def _open(server: MailServer, smtp: smtplib.SMTP) -> None:
    if server.security == "starttls":
        smtp.starttls(context=_tls(server))
    smtp.ehlo_or_helo_if_needed()
    if server.username is not None:
        smtp.login(server.username, server.password or "")


def _tls(server: MailServer) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(server.ca) if server.ca else None)


def _transact(
    smtp: smtplib.SMTP, mime: bytes, sender: str, addresses: Sequence[str], replies: dict[str, Reply]
) -> None:
    """Run MAIL, RCPT for each address, DATA, and write what came of it into `replies`.

    Raises _Midway when the line fails, DeliveryError when the server does not take our sender.
    """
    accepted: list[str] = []
    try:
        code, words = smtp.mail(sender)
        if code // 100 != 2:
            # About us, not about a recipient: whatever the code, a person can mend it and the mail still goes out.
            raise DeliveryError(f"sender {sender}: {_answer(code, words)}", retriable=True, code=code)
        for address in addresses:
            reply = _recipient(smtp, address)
            if reply is None:
                accepted.append(address)
            else:
                replies[address] = reply
        if accepted:
            reply = _data(smtp, mime)
            replies.update(dict.fromkeys(accepted, reply))
        else:
            smtp.rset()
    except smtplib.SMTPException as error:
        raise _Midway(_words(error), retriable=True, code=_code(error)) from error
    except (OSError, UnicodeError, ValueError) as error:
        raise _Midway(_words(error), retriable=True) from error


def _recipient(smtp: smtplib.SMTP, address: str) -> Reply | None:
    """Offer one address; None when the server takes it."""
    # Checked here, because smtplib would pick some address out of such a text and ask for that one.
    if not address.isascii() or not address.isprintable() or not _NOT_IN_ADDRESSES.isdisjoint(address):
        return Reply(REFUSED, "not an address that SMTP can carry")
    code, words = smtp.rcpt(address)
    if code // 100 == 2:
        return None
    _must_go_on(code, words)
    return Reply(_state(code), _answer(code, words), code=code)


def _data(smtp: smtplib.SMTP, mime: bytes) -> Reply:
    try:
        code, words = smtp.data(mime)
    except smtplib.SMTPDataError as error:  # refused before the first byte
        code, words = error.smtp_code, _bytes(error.smtp_error)
    if code // 100 == 2:
        return Reply(ACCEPTED, _answer(code, words), code=code)
    _must_go_on(code, words)
    return Reply(_state(code), _answer(code, words), code=code)


def _must_go_on(code: int, words: bytes) -> None:
    """Raise _ServerLeaves where the server takes its leave, or no longer speaks SMTP."""
    if code == _SERVER_CLOSES or not _LEAST_CODE <= code <= _MOST_CODE:
        raise _ServerLeaves(code, words)


def _state(code: int) -> str:
    return REFUSED if code // 100 == 5 and code not in _SESSION_FAULTS else QUEUED


def _bytes(words: bytes | str) -> bytes:
    return words.encode("utf-8", "replace") if isinstance(words, str) else words


def _answer(code: int, words: bytes) -> str:
    return " ".join(f"{code} {words.decode('utf-8', 'replace')}".split())[:_ANSWER_LENGTH]


def _code(error: Exception) -> int | None:
    if not isinstance(error, smtplib.SMTPResponseException):
        return None
    return error.smtp_code if _LEAST_CODE <= error.smtp_code <= _MOST_CODE else None


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _answer(error.smtp_code, _bytes(error.smtp_error))
    if isinstance(error, TimeoutError):
        return "timed out"
    return (" ".join(str(error).split()) or type(error).__name__)[:_ANSWER_LENGTH]
