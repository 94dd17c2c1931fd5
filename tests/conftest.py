"""This module settles what holds for every test: no example fails for being slow, since timings are benchmarks."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("plantmon", deadline=None)
settings.load_profile("plantmon")
