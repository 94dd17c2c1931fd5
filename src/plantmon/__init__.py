"""This package is plantmon: a plant's readings stored, judged against its permit, and reported."""

__version__ = "0.1.0"
