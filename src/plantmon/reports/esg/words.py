"""This module puts annual figures into words: numbers as they are printed, names, reasons, shares of coverage.

Numbers are rounded here and nowhere before, half away from zero, as a spreadsheet shows them: page and workbook then
print the same digits. Every form for people takes its numbers from here, so that a figure reads the same in a sentence
and in a table.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

from plantmon.model.metric import Coverage, Metric
from plantmon.model.plant import Name
from plantmon.texts import sentences, text

DASH = "–"
BOTH = ("zh", "en")
_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
_SMALL = Decimal("0.1")  # intensities below it are written as a power of ten
_LEAST_DECIMALS, _LEAST_DIGITS = 2, 3  # of an intensity
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LONG_DIGITS, _QUOTIENT_DIGITS = 18, 12
_SHARE_DECIMALS = 1
_ALMOST_ALL = 0.9995  # prints as 100.0 %
_TAX = "tax:"  # before the codes of the environmental tax
_SHOWN = (("m3", "m³"), ("m2", "m²"), ("CO2", "CO₂"), ("degC", "°C"), ("℃", "°C"))


@dataclass(frozen=True, slots=True)
class Speech:
    """The language of a report: en, zh, or both, which puts one below the other."""

    language: str

    @property
    def languages(self) -> tuple[str, ...]:
        """Give the languages spoken, the Chinese first."""
        return BOTH if self.language == "both" else (self.language,)

    def say(self, key: str, **values: object) -> str:
        """Give a sentence of the annual tables; in both languages on two lines, on one where they are alike."""
        return self._joined([text(f"esg.{key}", one, **values) for one in self.languages])

    def name(self, name: Name) -> str:
        """Give a name."""
        return self._joined([_shown(name.in_language(one)) for one in self.languages])

    def title(self, name: Name) -> str:
        """Give a name as the beginning of a line; a name that is a symbol, such as pH, stays as it is."""
        return self._joined([_begun(_shown(name.in_language(one))) for one in self.languages])

    def group(self, group: str) -> str:
        """Name a table; one the plant file invented is called what it is called there."""
        return self.say(f"group.{group}") if f"esg.group.{group}" in sentences() else group

    def code(self, kind: str, code: str) -> str:
        """Say what a code of a `reason` or `note` means; `code:detail` says its detail. An unknown one stands as it is.

        Codes are made where figures are; a sentence that is lacking here must not cost the report.
        """
        head, _, detail = code.removeprefix(_TAX).partition(":")
        places = (f"esg.{kind}.{head}", f"tax.{kind}.{head}", f"tax.reason.{head}", f"tax.note.{head}")
        key = next((place for place in places if place in sentences()), None)
        if key is None:
            return code
        return self._joined([text(key, one, detail=detail, pollutant=detail) for one in self.languages])

    def unit(self, unit: str) -> str:
        """Give a unit as people print it."""
        key = f"unit.{unit}"
        if f"esg.{key}" in sentences():
            return self.say(key)
        return _shown(unit)

    def coverage(self, coverage: Coverage) -> str:
        """Say what a figure rests on, with shares, one a line, where that is more than one thing."""
        shares = {
            "measured": coverage.measured,
            "substituted": coverage.substituted,
            "ledger": coverage.ledger,
            "missing": coverage.missing,
        }
        known = [name for name, share in shares.items() if share >= 1 - _ALMOST_ALL]
        if len(known) == 1:
            return self.say(f"basis.{known[0]}")
        return "\n".join(
            f"{' '.join(self.say(f'basis.{name}').split())} {share_pct(shares[name])}\u00a0%" for name in known
        )

    @staticmethod
    def _joined(said: list[str]) -> str:
        return "\n".join(dict.fromkeys(said))


def _shown(said: str) -> str:
    for plainly, shown in _SHOWN:
        said = said.replace(plainly, shown)
    return said


def _begun(said: str) -> str:
    return said[:1].upper() + said[1:] if said[1:2].islower() else said


def rounded(value: Decimal, decimals: int) -> Decimal:
    """Round to so many decimals, half away from zero, as spreadsheets show numbers.

    >>> rounded(Decimal("2.345"), 2), rounded(Decimal("-0.5"), 0)
    (Decimal('2.35'), Decimal('-1'))
    """
    return value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP, context=_EXACT)


def amount(value: Decimal, decimals: int) -> str:
    """Print a total; one that would round away to nothing keeps its digits, since it is not nothing.

    >>> amount(Decimal("39525934"), 0), amount(Decimal("719.7249"), 2), amount(Decimal("0.00042"), 2)
    ('39,525,934', '719.72', '4.20×10⁻⁴')
    """
    shown = rounded(value, decimals)
    return power_of_ten(value) if value and not shown else _grouped(shown)


def intensity(value: Decimal) -> str:
    """Print an amount per denominator: two decimals and three digits at least, small ones as a power of ten.

    >>> intensity(Decimal("814.9677")), intensity(Decimal("0.30321")), intensity(Decimal("0.0148396"))
    ('814.97', '0.303', '1.48×10⁻²')
    """
    return power_of_ten(value) if is_small(value) else _grouped(rounded(value, intensity_decimals(value)))


def is_small(value: Decimal) -> bool:
    """Tell whether an intensity is printed as a power of ten."""
    return bool(value) and abs(value) < _SMALL


def intensity_decimals(value: Decimal) -> int:
    """Give the decimals of an intensity that is printed in full."""
    return _LEAST_DIGITS if value and abs(value) < 1 else _LEAST_DECIMALS


def power_of_ten(value: Decimal) -> str:
    """Print three digits and a power of ten."""
    digits, _, exponent = f"{value:.{_LEAST_DIGITS - 1}e}".partition("e")
    return f"{_minus(digits)}×10{str(int(exponent)).translate(_SUPERSCRIPT)}"


def change_pct(change: Decimal | None) -> str:
    """Print a change as per cent with its sign, a dash where there is none to give.

    >>> change_pct(Decimal("-0.0421")), change_pct(Decimal("0.5")), change_pct(Decimal(0)), change_pct(None)
    ('−4.2 %', '+50.0 %', '0.0 %', '–')
    """
    if change is None:
        return DASH
    shown = rounded(change * 100, _SHARE_DECIMALS)
    return f"{'+' if shown > 0 else ''}{_grouped(shown) if shown else '0.0'} %"


def share_pct(share: float) -> str:
    """Print a share as per cent without its sign; what is not quite all or nothing does not print as that.

    >>> share_pct(0.98123), share_pct(0.99999), share_pct(1.0)
    ('98.1', '> 99.9', '100')
    """
    if share in (0, 1):
        return str(round(100 * share))
    shown = rounded(Decimal(share) * 100, _SHARE_DECIMALS)
    if shown == 100:
        return "> 99.9"
    return str(shown) if shown else "< 0.1"


def of_metric(value: Decimal | None, metric: Metric) -> str:
    """Print a metric's value, a dash where there is none."""
    return DASH if value is None else amount(value, metric.decimals)


def plain(value: Decimal) -> Decimal:
    """Give a number without needless zeros and without exponent: all its digits, for programs.

    >>> plain(Decimal("39525934.000000")), plain(Decimal("1E+3"))
    (Decimal('39525934'), Decimal('1000'))
    """
    return Decimal(format(_EXACT.normalize(value), "f")) if value else Decimal(0)


def digits(value: Decimal) -> str:
    """Write all digits of a number, grouped: of a factor or a ledger line.

    >>> digits(Decimal("0.5810")), digits(Decimal("1389259.000000"))
    ('0.581', '1,389,259')
    """
    return _grouped(plain(value))


def shown(value: Decimal) -> str:
    """Write a number with its digits, of quotients with twelve.

    >>> shown(Decimal("14686.218417")), shown(Decimal(2) / 3)
    ('14,686.218417', '0.666666666667')
    """
    exact = plain(value)
    is_long = len(exact.as_tuple().digits) > _LONG_DIGITS
    return digits(Decimal(f"{exact:.{_QUOTIENT_DIGITS}g}") if is_long else exact)


def _grouped(value: Decimal) -> str:
    return _minus(f"{value:,f}")


def _minus(written: str) -> str:
    return written.replace("-", "−")
