"""This module proves that what docs/archive.md tells an analyst to type works on real files."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
from archive_store import AFTER_MS, DAY_0, DAY_MS, FAST, METER, ArchiveStore

from plantmon.model.reading import flag_code

PAGE = (Path(__file__).parents[2] / "docs" / "archive.md").read_text(encoding="utf-8")


def test_the_example_reads_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The worked example gives the unflagged readings of a point, supplements included, to the last bit."""
    kept = ArchiveStore(tmp_path)
    values = [0.1, 12.34, 1 / 3, 7.0]
    number = kept.numbers[FAST]
    kept.put([(DAY_0 + at * 10_000, number, value, 0, DAY_0) for at, value in enumerate(values)])
    kept.put([(DAY_0 + 5, number, 99.0, flag_code("D"), DAY_0)])
    kept.put([(DAY_0, kept.numbers[METER], 5.0, 0, DAY_0)])
    kept.seal(DAY_0 + DAY_MS + AFTER_MS)
    kept.put([(DAY_0 + 90_000, number, 2.5, 0, DAY_0)])
    kept.seal(DAY_0 + DAY_MS + AFTER_MS)
    kept.store.close()
    (tmp_path / "archive" / "2024").rename(tmp_path / "archive" / "2026")  # the example's year
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    told = re.findall(r"'reading': \[([^]]*)\]", capsys.readouterr().out)[0]
    assert sorted(float(one) for one in told.split(",")) == sorted([*values, 2.5])


def test_the_chain_can_be_checked_by_what_the_page_says(tmp_path: Path) -> None:
    """Hashing the lines as the page describes gives each line's chain."""
    kept = ArchiveStore(tmp_path)
    for day in range(3):
        kept.put([(DAY_0 + day * DAY_MS, kept.numbers[FAST], 1.0, 0, DAY_0)])
    kept.seal(DAY_0 + 3 * DAY_MS + AFTER_MS)
    kept.store.close()
    chain = "0" * 64
    lines = (tmp_path / "archive" / "MANIFEST").read_text().splitlines()
    for line in map(json.loads, lines):
        said = [str(line[name]) for name in ("seq", "name", "rows", "bytes", "sha256", "sealed_ms")]
        chain = hashlib.sha256(" ".join([chain, *said]).encode()).hexdigest()
        assert line["chain"] == chain
        assert line["sha256"] == hashlib.sha256((tmp_path / "archive" / line["name"]).read_bytes()).hexdigest()
    assert len(lines) == 3
