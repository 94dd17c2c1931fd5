"""This module holds a document against the schema and goes on where it fails.

Every mistake of the shape is told; the wrong parts are then left out, so that what remains is a whole `File` and the
checks between its parts (`plant/references.py`) run in the same pass.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping as Table
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from plantmon.plant.document import Mapping, Sequence
from plantmon.plant.problems import Mistake, Path, Problems, nearest_of
from plantmon.plant.schema import File

_MAX_ROUNDS = 8  # each round takes something out; a mistake needs two or three: value, then what required it
_PLANT = {"plant": {"id": "unknown", "name": "unknown", "timezone": "UTC"}}
M = TypeVar("M", bound=BaseModel)
_ORIGIN = re.compile(r"'([^']*)'|(\d+)")
_KINDS = {
    "string_type": "not_text",
    "float_type": "not_number",
    "int_type": "not_whole",
    "finite_number": "not_number",
    "dict_type": "not_a_mapping",
    "model_type": "not_a_mapping",
    "model_attributes_type": "not_a_mapping",
    "tuple_type": "not_list",
}
_BOUNDS = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}
_SIGNS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}


def read_shape(document: Mapping, problems: Problems) -> File | None:
    """Give the plant file as far as its shape is right; None when so little is that nothing can be said of the rest."""
    return shaped(document, problems, File, _PLANT)


def shaped(document: Mapping, problems: Problems, model: type[M], stand_ins: Table[str, object]) -> M | None:
    """Give a file of any model as far as its shape is right; parts that had to go and must be there get stand-ins."""
    tree = document
    for attempt in range(_MAX_ROUNDS):
        try:
            return model.model_validate(tree)
        except ValidationError as error:
            dead: set[Path] = set()
            details = _own_errors(error.errors(include_url=False))
            meant = _meant_keys(tree, details, model)
            for detail in details:
                written = _written_part(tree, detail["loc"])
                if attempt == 0 and not (detail["type"] == "missing" and detail["loc"] in meant):
                    _tell(tree, written, detail, problems, model)
                problems.damaged.add(_original(tree, written[:-1]))
                dead.add(written)
            tree = _without(tree, (), dead)
            for name, stand_in in stand_ins.items():
                tree.setdefault(name, stand_in)
    return None


def _own_errors(details: list[Any]) -> list[Any]:
    """Leave out the counts of lists whose items are wrong: pydantic counts only the right ones."""
    places = [detail["loc"] for detail in details]
    return [
        detail
        for detail in details
        if detail["type"] not in {"too_short", "too_long"}
        or not any(place != detail["loc"] and place[: len(detail["loc"])] == detail["loc"] for place in places)
    ]


def _meant_keys(tree: Mapping, details: list[Any], model: type[BaseModel]) -> set[tuple[int | str, ...]]:
    """Give the places of keys that unknown ones were most likely meant for; these are not missing besides."""
    unknown = [detail["loc"] for detail in details if detail["type"] == "extra_forbidden"]
    return {(*loc[:-1], nearest_of(str(loc[-1]), _free_keys(tree, loc[:-1], model)) or "") for loc in unknown}


def _free_keys(tree: Mapping, path: Path, model: type[BaseModel]) -> tuple[str, ...]:
    """List the keys the mapping at a path may have and has not; one of them an unknown key was meant for."""
    mapping = _node(tree, path)
    return tuple(key for key in allowed_keys(path, model) if key not in mapping)


def _written_part(tree: Mapping, loc: tuple[int | str, ...]) -> Path:
    """Give the longest beginning of an error's place that stands in the tree."""
    node: Any = tree
    path: Path = ()
    for part in loc:
        if isinstance(node, Mapping) and part in node:
            node = node[str(part)]
        elif isinstance(node, Sequence) and isinstance(part, int) and part < len(node):
            node = node[part]
        else:
            break
        path = (*path, part)
    return path


def _node(tree: Mapping, path: Path) -> Any:
    node: Any = tree
    for part in path:
        node = node[part]
    return node


def _original(tree: Mapping, path: Path) -> Path:
    """Give the path in the file of a part of the tree, whose lists may have lost items."""
    node = _node(tree, path)
    return node.path if isinstance(node, Mapping | Sequence) else path


def _line(tree: Mapping, path: Path) -> int:
    """Give the line of the part at a path: that of its key."""
    if not path:
        return tree.line
    parent = _node(tree, path[:-1])
    return int(parent.lines.get(path[-1], parent.line)) if isinstance(parent, Mapping | Sequence) else tree.line


def _without(node: Any, path: Path, dead: set[Path]) -> Any:
    """Copy a tree without the dead parts; what stays keeps its path and lines."""
    if isinstance(node, Mapping):
        mapping = Mapping(node.path, node.line)
        mapping.lines = node.lines
        mapping.update({k: _without(v, (*path, k), dead) for k, v in node.items() if (*path, k) not in dead})
        return mapping
    if isinstance(node, Sequence):
        sequence = Sequence(node.path, node.line)
        kept = [index for index in range(len(node)) if (*path, index) not in dead]
        sequence.extend(_without(node[index], (*path, index), dead) for index in kept)
        sequence.lines = {new: node.lines[old] for new, old in enumerate(kept)}
        return sequence
    return node


def _tell(tree: Mapping, written: Path, detail: Any, problems: Problems, model: type[BaseModel]) -> None:
    """Note one of pydantic's errors as a problem with a sentence of ours."""
    kind, context = detail["type"], detail.get("ctx", {})
    line, given = _line(tree, written), detail["input"]
    if kind == "missing":
        problems.add(line, (*written, detail["loc"][-1]), "missing")
    elif kind == "extra_forbidden":
        allowed, free = allowed_keys(written[:-1], model), _free_keys(tree, written[:-1], model)
        problems.add(line, written, "unknown_key", given=str(written[-1]), allowed=allowed, free=free)
    elif kind == "value_error" and isinstance(context.get("error"), Mistake):
        mistake = context["error"]
        problems.add(line, written, mistake.key, **mistake.values)
    elif kind == "literal_error":
        allowed = tuple(word or number for word, number in _ORIGIN.findall(context["expected"]))
        problems.add(line, written, "choice", given=_shown(given), allowed=allowed)
    elif kind in _BOUNDS:
        sign = _BOUNDS[kind]
        problems.add(line, written, "bound", given=_shown(given), bound=f"{_SIGNS[sign]} {context[sign]:g}")
    elif kind in {"too_short", "too_long"}:
        expected = context.get("min_length") if kind == "too_short" else context.get("max_length")
        problems.add(line, written, "length", count=context.get("actual_length"), expected=expected)
    elif kind in _KINDS:
        problems.add(line, written, _KINDS[kind], given=_shown(given))
    else:
        problems.add(line, written, "other", reason=detail["msg"])


def _shown(value: Any) -> str:
    """Show a wrong value, shortened."""
    shown = value if isinstance(value, str) else "null" if value is None else repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."


def model_at(path: Path, model: type[BaseModel] = File) -> type[BaseModel] | None:
    """Give the model of the mapping at a path of the file, None where there is no model."""
    found: type[BaseModel] | None = model
    skip = False
    for part in path:
        if skip or isinstance(part, int):
            skip = False  # an entry's name or a list's index; the model inside is known already
            continue
        if found is None:
            return None
        annotation = next((f.annotation for name, f in found.model_fields.items() if (f.alias or name) == part), None)
        found = _model_in(annotation)
        skip = _is_table(annotation)
    return None if skip else found


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Give the one model inside an annotation such as `tuple[Limit, ...] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in typing.get_args(annotation) if (model := _model_in(part)) is not None), None)


def _is_table(annotation: Any) -> bool:
    return typing.get_origin(annotation) is dict or any(_is_table(part) for part in typing.get_args(annotation))


def allowed_keys(path: Path, top: type[BaseModel] = File) -> tuple[str, ...]:
    """List the keys the mapping at a path may have."""
    model = model_at(path, top)
    return tuple(field.alias or name for name, field in model.model_fields.items()) if model is not None else ()
