"""This module makes a throw-away certificate authority and a server certificate for localhost, with openssl."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where the files lie: the authority's certificate, the server's certificate and its key."""

    authority: Path
    certificate: Path
    key: Path


def make_certificates(folder: Path, days: int = 30) -> Certificates:
    """Make the certificates in a folder, for `localhost` and 127.0.0.1; what is there already is kept."""
    made = Certificates(folder / "ca.crt", folder / "srv.crt", folder / "srv.key")
    if all(path.exists() for path in (made.authority, made.certificate, made.key)):
        return made
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    valid = ["-days", str(days)]
    _openssl(folder, "req", "-x509", *_NEW_KEY, *valid, "-subj", "/CN=simulated authority", "-keyout", "ca.key",
             "-out", "ca.crt")  # fmt: skip
    _openssl(folder, "req", *_NEW_KEY, "-subj", "/CN=localhost", "-keyout", "srv.key", "-out", "srv.csr")
    _openssl(folder, "x509", "-req", "-in", "srv.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", *valid,
             "-extfile", "ext", "-out", "srv.crt")  # fmt: skip
    return made


_NEW_KEY = ("-newkey", "rsa:2048", "-nodes")


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
