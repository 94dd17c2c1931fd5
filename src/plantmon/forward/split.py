"""This module finds the bad lines of a batch: it is sent in halves until what is refused is a line alone.

A server that refuses some lines of a batch has often taken the others; they are sent again with their half, which
changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from plantmon.forward.reply import Fate, Reply
from plantmon.store.refused import Refused

Send = Callable[[Sequence[str]], Reply]


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a batch: the lines refused for good, and why it must wait, None where it is done.

    `is_new` says that an answer came over a new connection.
    """

    refused: tuple[Refused, ...] = ()
    waits: Reply | None = None
    is_new: bool = False


def deliver(lines: Sequence[str], send: Send) -> Delivered:
    """Send lines, and in halves what is refused or too large. Stops at the first answer that says to wait."""
    refused: list[Refused] = []
    is_new = False
    parts = [lines] if lines else []
    while parts:
        part = parts.pop()
        reply = send(part)
        is_new |= reply.is_new
        if reply.fate is Fate.WAITS:
            return Delivered(tuple(refused), reply)
        if reply.fate is Fate.ACCEPTED:
            continue
        # Where the answer counts every line as dropped, halves would only hear the same again.
        if len(part) == 1 or (reply.fate is Fate.REFUSED and reply.dropped == len(part)):
            refused += [Refused(line, reply.code, reply.said) for line in part]
        else:
            half = len(part) // 2
            parts += [part[half:], part[:half]]
    return Delivered(tuple(refused), is_new=is_new)
