"""This module loads a plant file: text to document, document to shape, shape to model, all mistakes in one run."""

from __future__ import annotations

import pathlib

from plantmon.errors import PlantFileError
from plantmon.model.plant import Plant
from plantmon.plant.compile import compile_plant
from plantmon.plant.document import parse
from plantmon.plant.problems import Problems
from plantmon.plant.references import check_references
from plantmon.plant.shape import read_shape


def load_plant(path: pathlib.Path, language: str = "en") -> Plant:
    """Load the plant file at a path. Raises PlantFileError with all its mistakes, in `en` or `zh`."""
    return load_plant_text(text_of(path, language), str(path), language)


def text_of(path: pathlib.Path, language: str) -> str:
    """Read a file's text. Raises PlantFileError where it cannot be read or is not in UTF-8."""
    problems = Problems()
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        problems.add(1, (), "unreadable", reason=error.strerror or type(error).__name__)
    except UnicodeDecodeError as error:
        problems.add(error.object.count(b"\n", 0, error.start) + 1, (), "not_utf8")
    raise PlantFileError(problems.told(str(path), language))


def load_plant_text(text: str, filename: str, language: str = "en") -> Plant:
    """Load a plant file's text. Raises PlantFileError with all its mistakes, in `en` or `zh`."""
    problems = Problems()
    document = parse(text, problems)
    file = read_shape(document, problems) if document is not None else None
    if file is not None and document is not None:
        check_references(file, document, problems)
    if problems.found or file is None:
        raise PlantFileError(problems.told(filename, language))
    return compile_plant(file, text)
