"""This module computes the check sums that HJ 212 devices put behind a frame.

That of the standard (HJ 212-2017 Appendix A, unchanged in 2025) resembles CRC-16/MODBUS but folds the byte into the
shifted register, not into the register: only 256 values exist, and a broken frame passes one time in 256. Some devices
send Modbus, some Modbus with its bytes swapped.
"""

from __future__ import annotations

from collections.abc import Callable

_START = 0xFFFF  # HJ 212-2017 Appendix A; CRC-16/MODBUS likewise
_POLYNOMIAL = 0xA001  # the same


def _row(index: int) -> int:
    for _ in range(8):
        index = (index >> 1) ^ (_POLYNOMIAL if index & 1 else 0)
    return index


_TABLE = tuple(_row(index) for index in range(256))


def hj212(segment: bytes) -> int:
    """Compute the check sum of HJ 212-2017 Appendix A.

    >>> f"{hj212(b'123456789'):04X}"
    '2F80'
    """
    crc = _START
    for byte in segment:
        crc = _TABLE[crc >> 8 ^ byte]
    return crc


def modbus(segment: bytes) -> int:
    """Compute CRC-16/MODBUS.

    >>> f"{modbus(b'123456789'):04X}"
    '4B37'
    """
    crc = _START
    for byte in segment:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc


def modbus_swapped(segment: bytes) -> int:
    """Compute CRC-16/MODBUS with its two bytes in the order in which Modbus sends them."""
    crc = modbus(segment)
    return crc >> 8 | (crc & 0xFF) << 8


VARIANTS: dict[str, Callable[[bytes], int]] = {"hj212": hj212, "modbus": modbus, "modbus_swapped": modbus_swapped}


def matching(segment: bytes, crc: int) -> list[str]:
    """Name every variant that gives this check sum, the standard's first."""
    return [name for name, compute in VARIANTS.items() if compute(segment) == crc]
