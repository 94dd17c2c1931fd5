"""This module proves that every sentence exists in both languages and that they speak of the same things."""

from __future__ import annotations

import string

import pytest

from plantmon.texts import sentences, text


def _placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("key", sentences())
def test_both_languages_say_the_same(key: str) -> None:
    """A sentence has English and Chinese and nothing else, with the same values in both."""
    sentence = sentences()[key]
    assert set(sentence) == {"en", "zh"}
    assert sentence["en"].strip()
    assert sentence["zh"].strip()
    assert _placeholders(sentence["en"]) == _placeholders(sentence["zh"])


def test_values_are_filled_in() -> None:
    """A sentence carries its values, in the language asked for; an unknown language gets English."""
    assert text("check.from", "en", day="2020-01-01") == ", from 2020-01-01"
    assert text("check.from", "zh", day="2020-01-01") == "，自 2020-01-01"
    assert text("check.from", "fr", day="2020-01-01") == ", from 2020-01-01"


def test_missing_key() -> None:
    """A sentence there is not, or a value that was forgotten, is a KeyError and never an empty line."""
    with pytest.raises(KeyError):
        text("check.no_such_sentence", "en")
    with pytest.raises(KeyError):
        text("check.from", "en")
