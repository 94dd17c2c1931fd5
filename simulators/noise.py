"""This module makes noise that is a pure function of seed, name and time.

Nothing draws from a running generator, so any span of a simulated year can be computed alone and comes out the same.
The hash is the finaliser of SplitMix64 (Steele, Lea, Flood 2014), which numpy evaluates over whole arrays.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Instants = NDArray[np.int64]
Values = NDArray[np.float64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_LOW_16 = np.uint64(0xFFFF)


def key(seed: int, name: str) -> int:
    """Give the 64-bit key of a named noise."""
    return int.from_bytes(hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=8).digest())


def hashed(key_of_noise: int, index: Instants) -> NDArray[np.uint64]:
    """Hash each index to 64 even bits."""
    bits = index.astype(np.uint64) * _GOLDEN + np.uint64(key_of_noise)
    bits = (bits ^ (bits >> np.uint64(30))) * _MIX_1
    bits = (bits ^ (bits >> np.uint64(27))) * _MIX_2
    return np.asarray(bits ^ (bits >> np.uint64(31)), dtype=np.uint64)


def uniform(key_of_noise: int, index: Instants) -> Values:
    """Give an even value in [0, 1) for each index."""
    return np.asarray((hashed(key_of_noise, index) >> np.uint64(11)).astype(np.float64) * 2.0**-53)


@dataclass(frozen=True, slots=True)
class Noise:
    """The noises of one part of the plant; the same name gives the same noise to every point that asks for it."""

    seed: int
    place: str

    def white(self, name: str, ts_ms: Instants, interval_ms: int) -> Values:
        """Give noise of mean 0 and standard deviation 1, within +-3.5, independent from one interval to the next."""
        bits = hashed(key(self.seed, f"{self.place}/{name}"), ts_ms // interval_ms)
        total = np.zeros(len(ts_ms))
        for shift in (0, 16, 32, 48):
            total += ((bits >> np.uint64(shift)) & _LOW_16).astype(np.float64)
        return np.asarray((total / 65536 - 2) * np.sqrt(3.0))

    def smooth(self, name: str, ts_ms: Instants, period_ms: int) -> Values:
        """Give noise within +-1 that changes over about a period, without steps."""
        noise_key = key(self.seed, f"{self.place}/{name}")
        cell = ts_ms // period_ms
        share = (1 - np.cos(np.pi * (ts_ms - cell * period_ms) / period_ms)) / 2
        left, right = uniform(noise_key, cell), uniform(noise_key, cell + 1)
        return np.asarray(2 * (left * (1 - share) + right * share) - 1)
