"""This module is a real SMTP server on a loopback port that keeps each mail it accepts as a file one can open.

`0001-<subject>.eml` is the mail as received, `0001-<subject>.html` its HTML part with the images put inside. The
server can be told, while it runs, to be away, to greylist, to refuse recipients, or to hang. TLS and logins are
real. `python -m simulators.mailbox --port 2525 --folder mails` runs one in the foreground.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import email
import html
import re
import signal
import ssl
import threading
import time
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from simulators.brokers import free_port
from simulators.certificates import Certificates, make_certificates

_CID = re.compile(r"""cid:([^"'>\s)]+)""")
_NOT_IN_NAMES = re.compile(r"[^\w]+")
_SLUG_LENGTH = 60


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """A mail as accepted. `accepted_at_s` is the real epoch time of the 250; `html_path` None without an HTML part."""

    path: Path
    html_path: Path | None
    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    accepted_at_s: float

    @property
    def subject(self) -> str:
        """The decoded subject."""
        return str(self.message["Subject"] or "")

    @property
    def text(self) -> str:
        """The plain text part, empty where there is none."""
        part = self.message.get_body(("plain",))
        return part.get_content() if part else ""

    @property
    def html(self) -> str:
        """The HTML part as sent, empty where there is none."""
        part = self.message.get_body(("html",))
        return part.get_content() if part else ""


def slug(subject: str) -> str:
    """Make a file name's part of a subject; letters of any script stay.

    >>> slug("Breach: DA001 NOx 52.3 > 50")
    'breach-da001-nox-52-3-50'
    """
    return _NOT_IN_NAMES.sub("-", subject.lower()).strip("-")[:_SLUG_LENGTH].rstrip("-") or "no-subject"


def self_contained_html(message: EmailMessage) -> str | None:
    """Give a mail's HTML part with its `cid:` images as data, so that it opens in a browser; None without one."""
    body = message.get_body(("html",))
    if body is None:
        return None
    images = {
        str(part["Content-ID"]).strip("<> "): part
        for part in message.walk()
        if part["Content-ID"] and part.get_content_maintype() == "image"
    }

    def data_uri(found: re.Match[str]) -> str:
        part = images.get(found[1])
        if part is None:
            return found[0]
        content: bytes = part.get_payload(decode=True)  # type: ignore[assignment]
        return f"data:{part.get_content_type()};base64,{base64.b64encode(content).decode()}"

    text = _CID.sub(data_uri, body.get_content())
    head = f"<!-- {html.escape(str(message['Subject']))} -->\n<meta charset='utf-8'>\n"
    return head + text


class _Rules:
    """The answers of the server; called by aiosmtpd in its own thread."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self._mailbox.answer_to(address)
        if answer is not None:
            self._mailbox.refused.append((address, answer))
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self._mailbox.data_delay_s:
            await asyncio.sleep(self._mailbox.data_delay_s)
        if self._mailbox.data_answer is not None:
            return self._mailbox.data_answer
        self._mailbox.keep(envelope)
        return "250 OK queued"


class _SilentProtocol(asyncio.Protocol):
    """Accepts a connection and never says a word."""


class _Server(Controller):
    def __init__(self, mailbox: Mailbox, **options: Any) -> None:
        self._mailbox = mailbox
        super().__init__(_Rules(mailbox), **options)

    def factory(self) -> Any:
        return _SilentProtocol() if self._mailbox.is_hanging else super().factory()  # type: ignore[no-untyped-call]


class Mailbox:
    """An SMTP server that keeps mails; change its attributes at any time to change its behaviour.

    `login` (user, password) asks for AUTH LOGIN or PLAIN; `tls` offers STARTTLS (its authority is `ca_file`), which a
    login then needs. `is_hanging`: new connections get no answer. `greylists`: a recipient's first attempt gets 451.
    `refused_recipients` get 550. `data_answer`: said instead of keeping a mail (`452 4.3.1 disk full`).
    """

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        login: tuple[str, str] | None = None,
        tls: bool = False,
        greylists: bool = False,
    ) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.login = login
        self.is_hanging = False
        self.greylists = greylists
        self.refused_recipients: set[str] = set()
        self.data_answer: str | None = None
        self.data_delay_s = 0.0
        self.refused: list[tuple[str, str]] = []  # (recipient, answer)
        self.certificates: Certificates | None = make_certificates(folder / ".certificates") if tls else None
        self._seen: set[str] = set()
        self._mails: list[ReceivedMail] = []
        self._arrived = threading.Condition()
        self._server: _Server | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def ca_file(self) -> Path | None:
        """The authority to trust for STARTTLS, None without TLS."""
        return self.certificates.authority if self.certificates else None

    @property
    def mails(self) -> list[ReceivedMail]:
        """The mails accepted so far, in order."""
        with self._arrived:
            return list(self._mails)

    def start(self) -> Self:
        """Listen; also what ends being away."""
        if self._server is None:
            self._server = _Server(self, hostname="127.0.0.1", port=self.port, ready_timeout=10, **self._security())
            self._server.start()
        return self

    def stop(self) -> None:
        """Go away: connections are refused until `start`. The mails stay."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def wait_for(self, count: int, limit_s: float = 10.0) -> list[ReceivedMail]:
        """Wait until so many mails came in all, and give them. Raises TimeoutError."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self._mails) >= count, limit_s):
                raise TimeoutError(f"{len(self._mails)} of {count} mails after {limit_s} s")
            return list(self._mails)

    def answer_to(self, recipient: str) -> str | None:
        """Give the refusal a recipient gets now, None where mail for him is taken."""
        address = recipient.lower()
        if address in {refused.lower() for refused in self.refused_recipients}:
            return "550 5.1.1 no such user"
        if self.greylists and address not in self._seen:
            self._seen.add(address)
            return "451 4.7.1 greylisted, try again later"
        return None

    def keep(self, envelope: Envelope) -> None:
        """Write an accepted mail to the folder, flushed before the 250 is said."""
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content or "").encode()
        message = email.message_from_bytes(content, _class=EmailMessage, policy=policy.default)
        with self._arrived:
            name = f"{self._next_number():04d}-{slug(str(message['Subject'] or ''))}"
            path = self.folder / f"{name}.eml"
            path.write_bytes(content)
            page = self_contained_html(message)
            html_path = self.folder / f"{name}.html" if page is not None else None
            if html_path is not None and page is not None:
                html_path.write_text(page, encoding="utf-8")
            sender, recipients = str(envelope.mail_from), tuple(str(one) for one in envelope.rcpt_tos)
            self._mails.append(ReceivedMail(path, html_path, sender, recipients, message, time.time()))
            self._arrived.notify_all()

    def _next_number(self) -> int:
        numbers = [int(path.name[:4]) for path in self.folder.glob("[0-9][0-9][0-9][0-9]-*.eml")]
        return max(numbers, default=0) + 1

    def _security(self) -> dict[str, Any]:
        options: dict[str, Any] = {}
        if self.certificates is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificates.certificate, self.certificates.key)
            options |= {"tls_context": context, "require_starttls": True}
        if self.login is not None:
            options |= {
                "authenticator": self._authenticate,
                "auth_required": True,
                "auth_require_tls": self.certificates is not None,
            }
        return options

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        known = self.login is not None and isinstance(data, LoginPassword)
        right = known and (data.login.decode(), data.password.decode()) == self.login
        return AuthResult(success=right, handled=False)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def main() -> None:
    """Run a mailbox in the foreground until SIGTERM or SIGINT; each accepted mail is a line."""
    parser = argparse.ArgumentParser(prog="python -m simulators.mailbox", description=__doc__)
    parser.add_argument("--port", type=int, default=2525)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--greylist", action="store_true", help="answer a recipient's first attempt with 451")
    parser.add_argument("--refuse", action="append", default=[], metavar="ADDRESS", help="answer with 550")
    parser.add_argument("--tls", action="store_true", help="offer STARTTLS and refuse mail without it")
    parser.add_argument("--login", metavar="USER:PASSWORD", help="ask for AUTH LOGIN or PLAIN")
    chosen = parser.parse_args()
    user, _, password = (chosen.login or "").partition(":")
    mailbox = Mailbox(chosen.folder, chosen.port, (user, password) if user else None, chosen.tls, chosen.greylist)
    mailbox.refused_recipients.update(chosen.refuse)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with mailbox:
        print(f"mailbox on 127.0.0.1:{mailbox.port}, mails in {mailbox.folder}", flush=True)
        shown = 0
        while not ended.wait(0.2):
            for mail in mailbox.mails[shown:]:
                print(f"{mail.path.name}  to {', '.join(mail.recipients)}", flush=True)
                shown += 1


if __name__ == "__main__":
    main()
