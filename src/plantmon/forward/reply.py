"""This module says what an InfluxDB can answer to lines, and what is to be done then."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum, auto

_DROPPED = re.compile(r"dropped=(\d+)")
_TAG = re.compile(r"<[a-z/!][^<>]*>", re.I)
_REFUSED = (400, 422)
_TOO_LARGE = 413
_BAD_GATEWAY = 502  # of a proxy behind which nobody listens


class Fate(Enum):
    """What became of lines."""

    ACCEPTED = auto()
    WAITS = auto()  # nothing is wrong with them: try again later
    REFUSED = auto()  # some of them, or all, will never be taken
    TOO_LARGE = auto()  # all of them together


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `said` is one line for people, `wait_s` what the server asked us to wait.

    `is_gone` says that the server's process went away or was not there, `is_new` that it came over a new connection: it
    may have been away in between.
    """

    fate: Fate
    said: str = ""
    code: int | None = None
    dropped: int | None = None  # how many lines it did not take, where it says so
    wait_s: float | None = None
    is_gone: bool = False
    is_new: bool = False


def reply_of(code: int, answer: str, bucket: str, wait_s: float | None = None) -> Reply:
    """Judge an answer by its status.

    400 and 422 speak of the lines (syntax, type of a field, beyond the retention), 413 of their size. All else speaks
    of the server, the token or the bucket, which people put right: the lines wait.
    """
    if 200 <= code < 300:
        return Reply(Fate.ACCEPTED, "", code)
    text = said_by(answer)
    if code in _REFUSED:
        found = _DROPPED.search(text)
        return Reply(Fate.REFUSED, f"{code}: {text}", code, int(found[1]) if found else None)
    if code == _TOO_LARGE:
        return Reply(Fate.TOO_LARGE, f"{code}: {text}", code)
    causes = {
        401: "the token is not accepted",
        403: "the token may not write into this bucket",
        404: f"there is no bucket {bucket}",
        429: "too many requests",
    }
    said = ": ".join(part for part in (str(code), causes.get(code, "the server cannot write"), text) if part)
    return Reply(Fate.WAITS, said, code, wait_s=wait_s, is_gone=code == _BAD_GATEWAY)


def said_by(answer: str) -> str:
    """Give what a server said in one line: of JSON its error, of a page its words."""
    try:
        found = json.loads(answer)
    except ValueError:
        found = None
    if isinstance(found, dict):
        answer = str(found.get("error") or found.get("message") or answer)
    return " ".join(_TAG.sub(" ", answer).split())[:300]
