"""This module proves that the tables of HJ 212's codes and flags are whole and agree with plantmon's quantities."""

from __future__ import annotations

import pytest

from plantmon import units
from plantmon.model.reading import flag_code, flag_letters
from plantmon.tables.hj212 import Code, Flag, codes, find_code, flag_state, flags
from plantmon.tables.load import quantities


@pytest.mark.parametrize("code", codes(), ids=lambda code: code.code)
def test_rows_are_whole(code: Code) -> None:
    """A code has both names, a source, units in their stored spelling, and a quantity that plantmon knows."""
    assert code.name.en
    assert code.name.zh
    assert code.source
    for unit in filter(None, (code.unit, code.cou_unit)):
        assert units.canonical(unit) == unit
    assert code.quantity is None or code.quantity in quantities()


@pytest.mark.parametrize("code", [code for code in codes() if code.quantity], ids=lambda code: code.code)
def test_units_convert_to_the_quantity(code: Code) -> None:
    """What a device sends of a quantity converts to the quantity's usual unit."""
    assert code.unit
    assert units.conversion(code.unit, quantities()[str(code.quantity)].units[0])


def test_quantities_and_codes_agree() -> None:
    """A quantity lists exactly the codes that name it."""
    listed = {(code, name) for name, quantity in quantities().items() for code in quantity.hj212}
    named = {(text, str(code.quantity)) for code in codes() if code.quantity for text in (code.code, code.code_2005)}
    assert listed == {(text, name) for text, name in named if text}


def test_each_spelling_is_one_code() -> None:
    """No code of either edition is another's, capital or small letters."""
    spellings = [text.casefold() for code in codes() for text in (code.code, code.code_2005) if text]
    assert len(spellings) == len(set(spellings))


@pytest.mark.parametrize(
    ("text", "quantity"),
    [("01", "pm"), ("001", "ph"), ("02", "so2"), ("03", "nox"), ("003", "tss"), ("10", "nh3"), ("010", "bod5"),
     ("B01", "water_flow"), ("B02", "gas_flow"), ("S01", "oxygen"), ("011", "cod"), ("a21026", "so2"),
     ("A21026", "so2"), ("b01", "water_flow"), ("w01018", "cod"), ("Leq", "sound_level")],
)  # fmt: skip
def test_codes_are_texts(text: str, quantity: str) -> None:
    """01 is particulate matter and 001 pH: a code is compared as a text."""
    found = find_code(text)
    assert found is not None
    assert found.quantity == quantity


@pytest.mark.parametrize("text", ["1", "11", "0011", "", "a2102", "Rtd"])
def test_unknown_codes(text: str) -> None:
    """What is in no table is not taken for its neighbour."""
    assert find_code(text) is None


@pytest.mark.parametrize(
    ("code", "unit", "cou_unit"),
    [("a21026", "mg/m3", "kg"), ("a00000", "m3/s", "m3"), ("w00000", "L/s", "m3"), ("w20117", "µg/L", "g"),
     ("w20111", "µg/L", "g"), ("w01018", "mg/L", "kg"), ("w01001", "pH", None), ("a19001", "%", None),
     ("a34004", None, None), ("a99054", None, None), ("a05002", "mg/m3", None)],
)  # fmt: skip
def test_units_of_the_standard(code: str, unit: str | None, cou_unit: str | None) -> None:
    """Concentrations, flows and amounts have the units of Appendix B; where devices differ there is none."""
    found = find_code(code)
    assert found is not None
    assert (found.unit, found.cou_unit) == (unit, cou_unit)


@pytest.mark.parametrize("flag", flags().values(), ids=lambda flag: flag.letters)
def test_flags_are_whole(flag: Flag) -> None:
    """A flag has editions, both names and a source, and fits the store."""
    assert flag.editions
    assert set(flag.editions) <= {"2005", "2017", "cems", "ambient"}
    assert flag.name.en
    assert flag.name.zh
    assert flag.source
    assert flag_letters(flag_code(flag.letters)) == flag.letters


@pytest.mark.parametrize(
    ("letters", "state"),
    [("N", "normal"), ("F", "stopped"), ("M", "maintenance"), ("S", "manual"), ("D", "fault"), ("C", "calibration"),
     ("T", "over_range"), ("B", "lost"), ("P", "fault"), ("St", "unknown"), ("Sd", "unknown"), ("Md", "lost"),
     ("0", "unknown"), ("3", "unknown"), ("X", "unknown"), ("n", "unknown"), ("", "unknown")],
)  # fmt: skip
def test_flag_states(letters: str, state: str) -> None:
    """B is lost communication and never below detection; what no edition lists is unknown, never normal."""
    assert flag_state(letters) == state


def test_only_n_is_normal() -> None:
    """No other letter makes a value good, and none means below detection."""
    states = {letters: flag.state.value for letters, flag in flags().items()}
    assert [letters for letters, state in states.items() if state == "normal"] == ["N"]
    assert "below_detection" not in states.values()
