"""This module proves that what is written as line protocol is read back as it was, by a reader of its own."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from plantmon.forward.lines import OUTCOMES, REASONS, STATES, Lines, escape, exact, fields, head
from plantmon.model.alarm import State
from plantmon.model.reading import Columns
from plantmon.model.verdict import Outcome, Reason
from plantmon.store.sent_points import SentPoint
from plantmon.store.spool import What

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
POINTS = {
    1: SentPoint("DA001.nox", "mg/m3", "DA001", "nox"),
    2: SentPoint("E-MAIN", "kWh", None, "electricity"),
    3: SentPoint("old one", "m3", None, None),
}
NEW_YEAR = 1_577_808_000_000
LINES = Lines("cq-truck", POINTS)
KEPT = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="\\"), min_size=1)


def read_line(line: str) -> tuple[str, dict[str, str], dict[str, float | int], int]:
    """Take a line apart by the grammar of line protocol: a backslash before comma, equals sign or space is no sign."""
    parts: list[list[str]] = [[""]]
    signs: list[str] = []
    rest = iter(line)
    for sign in rest:
        if sign == "\\":
            parts[-1][-1] += next(rest)
        elif sign == " ":
            parts.append([""])
        elif sign in ",=":
            signs.append(sign)
            parts[-1].append("")
        else:
            parts[-1][-1] += sign
    series, said, (at,) = parts
    assert "".join(signs) == "," + ",".join(["="] * ((len(series) - 1) // 2)) + "=" + ",=" * (len(said) // 2 - 1) or (
        len(series) == 1
    )
    tags = dict(zip(series[1::2], series[2::2], strict=True))
    values = {
        name: int(text[:-1]) if text.endswith("i") else float(text)
        for name, text in zip(said[::2], said[1::2], strict=True)
    }
    return series[0], tags, values, int(at)


@given(st.dictionaries(st.sampled_from(["plant", "point", "unit", "limit"]), KEPT))
def test_tags_are_read_back(tags: dict[str, str]) -> None:
    """Whatever signs an id or a limit's name has, its tag is read as it was written."""
    assert read_line(f"{head('reading', tags)} value=1.0 5")[1] == tags


@given(st.text())
def test_a_tag_never_breaks_its_line(text: str) -> None:
    """No text, control characters and backslashes included, makes a second line or ends a tag."""
    line = f"{head('reading', {'point': text or '-'})} value=1.0 5"
    assert len(line.splitlines()) == 1
    assert list(read_line(line)[1]) == ["point"]


def test_what_a_line_cannot_hold() -> None:
    """Line feeds become a space and backslashes slashes; tags without a text are left out, the others sorted."""
    assert escape("a\r\nb\\c") == r"a\ b/c"
    assert head("reading", {"unit": "m3", "outlet": None, "plant": ""}) == "reading,unit=m3"
    assert head("reading", {"b": "2", "a": "1"}) == "reading,a=1,b=2"


@given(FLOATS)
def test_floats_come_back_whole(value: float) -> None:
    """Every finite float is read back with every bit, its sign of zero too."""
    [line] = LINES.readings(Columns(np.array([5]), np.array([1]), np.array([value]), np.array([0])))
    _, _, values, _ = read_line(line)
    assert isinstance(values["value"], float)
    assert values["value"] == value
    assert math.copysign(1, values["value"]) == math.copysign(1, value)


@given(
    st.lists(
        st.tuples(st.integers(-(2**62), 2**62), st.sampled_from([1, 2, 3]), FLOATS, st.integers(0, 2**48 - 1)),
        min_size=1,
    )
)
def test_readings_are_a_line_each_in_order(rows: list[tuple[int, int, float, int]]) -> None:
    """Each reading is one line with its point's tags, its value, its flag as a number, and its time."""
    columns = Columns(*(np.array(column) for column in zip(*rows, strict=True)))
    found = [read_line(line) for line in LINES.readings(columns)]
    assert [(at, values["value"], values["flag"]) for _, _, values, at in found] == [
        (at, value, flag) for at, _, value, flag in rows
    ]
    assert [tags["point"] for _, tags, _, _ in found] == [POINTS[number].name for _, number, _, _ in rows]


def test_a_reading_as_documented() -> None:
    """The line of a reading over range (flag T, ASCII 84) as docs/influxdb.md has it."""
    columns = Columns(np.array([1_795_478_400_000]), np.array([1]), np.array([41.2]), np.array([84]))
    assert LINES.readings(columns) == [
        "reading,outlet=DA001,plant=cq-truck,point=DA001.nox,quantity=nox,unit=mg/m3 value=41.2,flag=84i 1795478400000"
    ]


def test_what_is_not_finite_is_left_out() -> None:
    """Line protocol has no word for nothing and for infinity: such a field is not written."""
    assert fields({"a": None, "b": math.inf, "c": math.nan, "d": 1.0, "e": 2}) == "d=1.0,e=2i"


def test_a_window_says_whether_its_mean_holds() -> None:
    """An hour with nothing valid has known=0, so that a mean that stood there before is not taken for it."""
    row = ["1h", 3_600_000, 7_200_000, 1, None, None, None, None, None, 60, 3, 0, 0, 0, None, False, 0]
    name, tags, values, at = read_line(LINES.rows(What.WINDOW, [row])[0])
    assert (name, tags["level"], at) == ("window", "1h", 3_600_000)
    assert values == {
        "known": 0, "bounded": 0, "is_valid": 0, "due": 60, "had": 3, "valid": 0, "readings": 0, "over_range": 0,
        "estimated": 0,
    }  # fmt: skip


def test_a_counter_window_has_its_amount_in_units() -> None:
    """The amount, kept in millionths, is written in the point's unit."""
    row = ["1d", 0, 86_400_000, 2, None, None, None, None, 12_345_678, 10, 10, 10, 24, 0, None, True, 1]
    _, tags, values, _ = read_line(LINES.rows(What.WINDOW, [row])[0])
    assert tags == {"plant": "cq-truck", "point": "E-MAIN", "unit": "kWh", "quantity": "electricity", "level": "1d"}
    assert (values["amount"], values["known"], values["estimated"]) == (12.345678, 1, 1)


def test_a_verdict_as_documented() -> None:
    """A verdict is told by its limit's parts; outcome and reason are the documented numbers."""
    key = "DA001/nox/concentration/1h/GB 16297/1996/2020-01-01"
    rows = [[key, 0, 3_600_000, "exceed", None, 61.5, 50.0], [key, 0, 3_600_000, "not_judged", "minutes", None, None]]
    first, second = (read_line(line) for line in LINES.rows(What.VERDICT, rows))
    assert first[1] == {
        "plant": "cq-truck", "limit": key, "outlet": "DA001", "subject": "nox", "basis": "concentration",
        "window": "1h", "standard": "GB 16297/1996",
    }  # fmt: skip
    assert first[2] == {"outcome": 2, "reason": 0, "known": 1, "value": 61.5, "bound": 50.0}
    assert second[2] == {"outcome": -1, "reason": 5, "known": 0}


def test_alarms_of_one_millisecond_stay_apart() -> None:
    """Two alarms of a kind that begin in one millisecond are two points: the digits below it differ."""
    rows = [[7, 1000, "raise", 3, "meter_event", "data", "unacknowledged", None, "E-MAIN", None],
            [8, 1000, "raise", 4, "meter_event", "data", "unacknowledged", None, "E-MAIN", None]]  # fmt: skip
    first, second = (read_line(line) for line in LINES.rows(What.ALARM, rows))
    assert first[1] == second[1]
    assert (first[3], second[3]) == (1_000_000_007, 1_000_000_008)
    assert first[2] == {"alarm": 3, "state": 1}
    assert Lines.precision(What.ALARM) == "ns"


def test_every_outcome_reason_and_state_has_its_number() -> None:
    """Whatever a verdict or an alarm can say has a number of its own, so that no line is ever without."""
    assert set(OUTCOMES) == {*Outcome, "withdrawn"}
    assert set(REASONS) == {*Reason, None}
    assert set(STATES) == set(State)
    for numbers in (OUTCOMES, REASONS, STATES):
        assert len(set(numbers.values())) == len(numbers)


def test_a_metric_as_documented() -> None:
    """A published figure has its period and denominator as tags; one that is not known has no value, never a zero."""
    row = ["ghg.total", NEW_YEAR, "2020", "tCO2e/pcs", "vehicle", 0.125, 0.75, 0.0, 0.0, 0.25, True, False, 2]
    name, tags, values, at = read_line(LINES.rows(What.METRIC, [row])[0])
    assert (name, at) == ("metric", NEW_YEAR)
    assert tags == {
        "plant": "cq-truck", "metric": "ghg.total", "unit": "tCO2e/pcs", "period": "2020", "denominator": "vehicle",
    }  # fmt: skip
    assert values == {
        "value": 0.125, "known": 1, "measured": 0.75, "substituted": 0.0, "ledger": 0.0, "missing": 0.25,
        "provisional": 1, "at_least": 0, "version": 2,
    }  # fmt: skip
    row = ["waste", NEW_YEAR, "2020", "t", "", None, 0.0, 0.0, 0.0, 1.0, False, False, 1]
    _, tags, values, _ = read_line(LINES.rows(What.METRIC, [row])[0])
    assert "denominator" not in tags
    assert "value" not in values
    assert values["known"] == 0


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value="-1e30", max_value="1e30"))
def test_a_decimal_goes_out_to_its_last_digit(value: Decimal) -> None:
    """The two halves and the power of ten give a decimal of 28 digits back; each half is an integer a float holds."""
    found = exact(str(value))
    if len(value.as_tuple().digits) > 28:
        assert found == {}
        return
    assert max(abs(found["high"]), abs(found["low"])) < 2**53
    back = Fraction(found["high"] * 10**14 + found["low"]) * Fraction(10) ** found["exponent"]
    assert back == Fraction(value)
