"""This module runs a real mail server, Debian's exim4, on a loopback port with its own spool.

Recipients tell it what to do: `bad@` gets 550, `down@` always 451, `grey@` 451 until `open_greylist()`, `open@` is
accepted without a login; everybody else needs STARTTLS and AUTH PLAIN `plant`/`pw`. Mail lands in one mbox file.
"""

from __future__ import annotations

import mailbox
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from email.message import Message
from pathlib import Path

from simulators.brokers import free_port, program, wait_for_port
from simulators.certificates import make_certificates

LOGIN = ("plant", "pw")

_CONFIGURATION = r"""primary_hostname = mx.x.test
exim_user = {user}
exim_group = {group}
spool_directory = {folder}/spool
log_file_path = {folder}/spool/log/%slog
pid_file_path = {folder}/spool/pid
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
never_users =
tls_advertise_hosts = *
tls_certificate = {folder}/certificates/srv.crt
tls_privatekey = {folder}/certificates/srv.key
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
begin acl
rcpt:
  deny  message = no such user
        local_parts = bad
  defer message = greylisted, try again later
        local_parts = grey
        condition = ${{if !exists{{{folder}/open}}}}
  defer message = local problem
        local_parts = down
  accept authenticated = *
  accept local_parts = open : grey
  deny message = authentication required
begin routers
all:
  driver = accept
  transport = box
begin transports
box:
  driver = appendfile
  file = {folder}/spool/box
  user = {user}
begin retry
* * F,1m,5s
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${{if and{{{{eq{{$auth2}}{{plant}}}}{{eq{{$auth3}}{{pw}}}}}}}}
  server_set_id = $auth2
  server_advertise_condition = ${{if def:tls_in_cipher}}
"""


class Exim:
    """A running exim: its port, the authority of its certificate, and the mails it delivered."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.ca_file = folder / "certificates" / "ca.crt"
        self.login = LOGIN

    def mails(self) -> list[Message]:
        """Give the mails delivered so far, in order; delivery follows acceptance within a second or so."""
        box = self.folder / "spool" / "box"
        if not box.exists():
            return []
        with closing(mailbox.mbox(box, create=False)) as opened:
            return list(opened)

    def open_greylist(self) -> None:
        """Accept `grey@` from now on."""
        (self.folder / "open").touch()

    @property
    def log(self) -> str:
        """What exim logged of messages, refusals and panics."""
        logs = sorted((self.folder / "spool" / "log").glob("*log"))
        return "".join(path.read_text(errors="replace") for path in logs)


@contextmanager
def exim(port: int | None = None, folder: Path | None = None) -> Iterator[Exim]:
    """Run exim until the block ends; a folder given is kept, a temporary one removed."""
    place = folder or Path(tempfile.mkdtemp(prefix="simulated-exim-", dir="/tmp"))
    running = Exim(place, port or free_port())
    _prepare(running)
    command = [program("exim4", "exim4-daemon-light"), "-C", str(place / "exim.conf"), "-bdf"]
    with (place / "output.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_for_port(running.port, process)
        yield running
    finally:
        process.terminate()
        process.wait(10)
        if folder is None:
            shutil.rmtree(place, ignore_errors=True)


def _prepare(server: Exim) -> None:
    for name in ("log", "db", "input", "msglog"):
        (server.folder / "spool" / name).mkdir(parents=True, exist_ok=True)
    make_certificates(server.folder / "certificates")
    # As root exim drops to its own user, who must reach spool and key.
    user = group = "Debian-exim"
    if os.getuid() != 0:
        user = group = pwd.getpwuid(os.getuid()).pw_name
    text = _CONFIGURATION.format(folder=server.folder, port=server.port, user=user, group=group)
    (server.folder / "exim.conf").write_text(text)
    if os.getuid() == 0:
        subprocess.run(["chown", "-R", f"{user}:{group}", str(server.folder)], check=True)
        # exim refuses a configuration that anyone but root could change.
        os.chown(server.folder / "exim.conf", 0, 0)
    (server.folder / "exim.conf").chmod(0o644)
