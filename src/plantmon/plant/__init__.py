"""This package reads the plant file: its shape, what is wrong with it and where, and what it will make plantmon do."""

from plantmon.plant.load import load_plant, load_plant_text

__all__ = ["load_plant", "load_plant_text"]
