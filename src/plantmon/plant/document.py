"""This module reads YAML into plain values that know their place, so that every mistake can be shown with its line.

It is stricter than YAML: a key stands once, keys are texts, there are no tags and no merge keys. Dates stay texts; the
schema reads them, so that a wrong one is a mistake with a name like any other.
"""

from __future__ import annotations

import math
import re
import warnings
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from plantmon.plant.problems import Path, Problems

_MAX_NODES = 200_000  # a plant of 300 points has some 3,000; aliases of aliases can write millions in ten lines
_TAG = "tag:yaml.org,2002:"


class Mapping(dict[str, Any]):
    """A mapping of the file with its path and the line of each of its keys."""

    def __init__(self, path: Path, line: int) -> None:
        super().__init__()
        self.path = path
        self.line = line
        self.lines: dict[Any, int] = {}


class Sequence(list[Any]):
    """A list of the file with its path and the line of each of its items."""

    def __init__(self, path: Path, line: int) -> None:
        super().__init__()
        self.path = path
        self.line = line
        self.lines: dict[Any, int] = {}


def parse(text: str, problems: Problems) -> Mapping | None:
    """Read a YAML text whose top is a mapping; mistakes go to `problems`. None when nothing of it is readable."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", ReusedAnchorWarning)
            top = YAML(typ="safe", pure=True).compose(text)
    except ReusedAnchorWarning as error:
        problems.add(int(re.findall(r"line: (\d+)", str(error))[-1]), (), "anchor_twice")
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problems.add(mark.line + 1 if mark else 1, (), "yaml", reason=error.problem or error.context or "")
    except YAMLError as error:
        position = getattr(error, "position", 0)
        problems.add(text.count("\n", 0, position) + 1, (), "yaml", reason=getattr(error, "reason", "") or str(error))
    except (RecursionError, ValueError, AttributeError, TypeError, IndexError, AssertionError) as error:
        # seen: ruamel 0.19 answers some broken texts (deep nesting, odd directives) with these
        problems.add(1, (), "yaml", reason=type(error).__name__)
    else:
        if isinstance(top, MappingNode):
            return _Reader(problems).mapping(top, ())
        problems.add(1, (), "not_a_mapping" if top is not None else "empty")
    return None


class _Reader:
    """One walk over a node tree; counts nodes, so that aliases cannot blow it up, and knows the open ones."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self.count = 0
        self.open: set[int] = set()

    def value(self, node: Node, path: Path) -> Any:
        self.count += 1
        line = node.start_mark.line + 1
        if id(node) in self.open or self.count > _MAX_NODES:
            if self.count <= _MAX_NODES + 1:
                self.problems.add(line, path, "recursive")
            return None
        self.open.add(id(node))
        try:
            if isinstance(node, MappingNode):
                return self.mapping(node, path)
            if isinstance(node, SequenceNode):
                return self.sequence(node, path)
            return self.scalar(node, path)
        finally:
            self.open.discard(id(node))

    def mapping(self, node: MappingNode, path: Path) -> Mapping:
        found = Mapping(path, node.start_mark.line + 1)
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode):
                self.problems.add(line, path, "key_not_text")
                continue
            key = str(key_node.value)
            if key in found:
                self.problems.add(line, (*path, key), "duplicate_key", line=found.lines[key])
                continue
            found.lines[key] = line
            found[key] = self.value(value_node, (*path, key))
        return found

    def sequence(self, node: SequenceNode, path: Path) -> Sequence:
        found = Sequence(path, node.start_mark.line + 1)
        for index, item in enumerate(node.value):
            found.lines[index] = item.start_mark.line + 1
            found.append(self.value(item, (*path, index)))
        return found

    def scalar(self, node: Node, path: Path) -> Any:
        kind, value = str(node.tag).removeprefix(_TAG), str(node.value)
        match kind:
            case "str" | "timestamp":
                return value
            case "null":
                return None
            case "bool":
                return value.lower() in {"true", "yes", "on"}
            case "int" | "float":
                return _number(value)
        self.problems.add(node.start_mark.line + 1, path, "tag", tag=kind)
        return None


def _number(text: str) -> Any:
    """Read a YAML number; what Python cannot hold becomes infinite and is refused later, the rest stays a text."""
    plain = text.replace("_", "")
    try:
        whole = int(plain, 0) if plain.lower().startswith(("0x", "0o")) else int(plain)
        return whole if abs(whole) < 2**63 else math.inf
    except ValueError:
        pass
    try:
        return float(plain.lower().replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        return text
