"""This module proves that the repository is in step with itself: commands, versions, links, requirements, examples."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from plantmon import __version__
from plantmon.plant import load_plant
from plantmon.plant.group import load_group
from plantmon.settings import load_settings

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z]+):", MAKEFILE, re.M))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Folders a checkout does not have but a worked-in tree does.
MADE = {".venv", ".git", ".demo", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "build"}
TEXTS = {"", ".md", ".py", ".toml", ".txt", ".yaml", ".conf", ".acl", ".service", ".sh", ".sql", ".csv", ".svg"}
FOREIGN = re.compile(
    r"(?<![\w.])/(?:work|home/\w+|root/\w+|Users/\w+)/|\.\./shared|(?<!no-emit-)\bindex-url\b|\bfind-links\b"
)


def _files() -> list[Path]:
    found = []
    for folder, names, files in os.walk(ROOT):
        names[:] = [name for name in names if name not in MADE]
        found += [Path(folder) / name for name in files if Path(name).suffix in TEXTS]
    return found


def test_readme_begins_with_commands_that_exist() -> None:
    """Every `make` command of the README is a target, the demo and the tests first, and `help` knows every target."""
    named = re.findall(r"\bmake ([a-z]+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert named[:2] == ["demo", "test"]
    assert set(named) <= TARGETS
    assert set(re.findall(r"^([a-z]+):.*## ", MAKEFILE, re.M)) == TARGETS


def test_continuous_integration_makes_the_tests() -> None:
    """What continuous integration runs is what a person runs."""
    file = ROOT / ".ci" / "run"
    assert os.access(file, os.X_OK)
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    assert lines == ["set -eu", 'cd "$(dirname "$0")/.."', "make test"]


def test_test_target_lints_first() -> None:
    """`make test` is `make lint` and then all tests."""
    assert re.search(r"^test: lint\b", MAKEFILE, re.M)


@pytest.mark.parametrize("script", ["scripts", "deploy", ".ci"])
def test_scripts_are_well_formed(script: str) -> None:
    """Every script can be run and is bash without a slip."""
    found = [file for file in (ROOT / script).iterdir() if file.is_file() and file.read_bytes().startswith(b"#!")]
    assert found
    for file in found:
        assert os.access(file, os.X_OK), file
        subprocess.run(["bash", "-n", file], check=True)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_are_locked(name: str) -> None:
    """Each requirement has one version and its hashes, and no line says where to get it."""
    text = (ROOT / name).read_text()
    assert "http" not in text
    lines = [line for line in text.replace("\\\n", "").splitlines() if line and not line.startswith("#")]
    for line in lines:
        assert re.match(r"[a-z0-9][a-z0-9._-]*==\S+( ; [^-]+)?(\s+--hash=sha256:[0-9a-f]{64})+$", line), line[:80]


def test_requirements_agree() -> None:
    """What is run and what is tested are the same versions."""
    run, tested = (
        dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / name).read_text(), re.M))
        for name in ("requirements.txt", "requirements-dev.txt")
    )
    assert run.items() <= tested.items()


def test_one_version() -> None:
    """The package, the project and the changelog's newest entry speak of the same version."""
    assert __version__ == PROJECT["version"]
    entries = re.findall(r"^## \[([^\]]+)\] - (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert entries[0][0] == PROJECT["version"]


def test_nothing_speaks_of_one_machine() -> None:
    """No file names a folder of the machine it was written on, nor a package index."""
    here = Path(__file__)
    said = [
        f"{file.relative_to(ROOT)}: {found[0]}"
        for file in _files()
        if file != here and (found := FOREIGN.search(file.read_text(encoding="utf-8", errors="replace")))
    ]
    assert said == []


def test_every_example_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file in config/ is read by what it is for."""
    for name in [name for name in os.environ if name.startswith("PLANTMON_") or name == "CREDENTIALS_DIRECTORY"]:
        monkeypatch.delenv(name)
    for file in sorted((ROOT / "config").iterdir()):
        if file.name == "group.yaml":
            assert load_group(file).members
        elif file.suffix == ".yaml":
            assert load_plant(file).points
        elif file.suffix == ".toml":
            assert load_settings(file).plant.file.is_file()
        else:
            assert file.suffix == ".csv", f"nobody reads {file.name}"
            with file.open(encoding="utf-8", newline="") as rows:
                assert all(None not in row and None not in row.values() for row in csv.DictReader(rows))


@pytest.mark.parametrize(
    "page", sorted(str(file.relative_to(ROOT)) for file in _files() if file.suffix == ".md"), ids=str
)
def test_links_lead_somewhere(page: str) -> None:
    """Every link within the repository has its file, and its heading."""
    file = ROOT / page
    text = file.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'<img src="([^"]+)"', text):
        if link.startswith("http"):
            continue
        path, _, heading = link.partition("#")
        target = (file.parent / path).resolve() if path else file
        assert target.exists(), link
        if heading:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.M)
            assert heading in {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}, link


def test_pictures_need_nothing_from_elsewhere() -> None:
    """The README's drawn picture names no font, style or image of another server."""
    text = (ROOT / "docs" / "demo.svg").read_text(encoding="utf-8")
    assert not re.search(r"url\(\s*[\"']?http|@import|<image|@font-face", text)
