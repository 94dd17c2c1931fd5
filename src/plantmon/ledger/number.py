"""This module reads the numbers people write in a ledger: decimal, exact, with thousands separators where plain."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal

_PLAIN = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,2})?")
_GROUPED = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
# One group and no decimal point: 1,389 is a thousand to some and one and a bit to others.
_AMBIGUOUS = re.compile(r"[-+]?\d{1,3},\d{3}")
_BELOW = re.compile(r"(?:<|小于)(?P<before>.+)|(?P<after>.+)[lL]")
_NOT_DETECTED = {"nd", "n.d.", "未检出", "not detected"}
# More digits than any balance or book has are a slip, and would outgrow exact arithmetic.
MOST_DIGITS, LARGEST = 20, Decimal(10) ** 15


class NumberError(ValueError):
    """A text is no number; `key` names the sentence that says why."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True)
class Result:
    """A laboratory's result: a value, or the limit below which it lay."""

    value: Decimal
    is_below: bool


def read_number(text: str) -> Decimal:
    """Read a number with a decimal point; commas may part it into thousands where they can mean nothing else.

    Raises NumberError.

    >>> read_number("1,389,259"), read_number("1,389.5"), read_number("１２.5")
    (Decimal('1389259'), Decimal('1389.5'), Decimal('12.5'))
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if _AMBIGUOUS.fullmatch(plain):
        raise NumberError("ambiguous_number")
    if not _PLAIN.fullmatch(plain) and not _GROUPED.fullmatch(plain):
        raise NumberError("bad_number")
    value = Decimal(plain.replace(",", ""))
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    if abs(value) >= LARGEST or len(value.as_tuple().digits) > MOST_DIGITS or exponent < -MOST_DIGITS:
        raise NumberError("large_number")
    return value


def read_result(text: str) -> Result:
    """Read a laboratory's result: a number, or one below a limit as `<0.05` or `0.05L` (HJ/T 91-2002).

    Raises NumberError, also for "not detected" without the limit.

    >>> read_result("0.05L"), read_result("11.8")
    (Result(value=Decimal('0.05'), is_below=True), Result(value=Decimal('11.8'), is_below=False))
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if plain.lower() in _NOT_DETECTED:
        raise NumberError("no_detection_limit")
    below = _BELOW.fullmatch(plain)
    if below is not None:
        return Result(read_number(below["before"] or below["after"]), is_below=True)
    return Result(read_number(plain), is_below=False)
