"""This module is the plant file's shape as a person writes it: every key, its type and its default.

Keys whose engine comes later load and are checked like the others. Defaults that are rules of the field come from
`tables/rules.csv`, each with its source. `plant/compile.py` turns this shape into the model the program works with.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    model_validator,
)

from plantmon.plant.document import Mapping
from plantmon.plant.problems import Mistake, Path
from plantmon.plant.values import (
    AmountField,
    ClockSpanField,
    ClockTime,
    Day,
    Delay,
    Duration,
    Email,
    FlagLetters,
    Id,
    MeterId,
    MetricId,
    Mn,
    Number,
    Percent,
    PlantId,
    Share,
    Text,
    Unit,
    Whole,
    WorkTimeField,
    Zone,
    read_clock,
    read_duration,
    read_share,
)
from plantmon.tables.load import default, quantities, substitution
from plantmon.times import DAY_MS, MINUTE_MS, format_duration

# HJ 212-2017 Table 4, MinInterval.
_MINUTE_DATA_MS = tuple(minutes * MINUTE_MS for minutes in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30))

Severity = Literal["warning", "breach", "data"]
Edition = Literal["daily", "weekly", "monthly"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Window = Literal["reading", "1h", "1d", "1mo", "1y", "day-period", "night-period"]


class Written(BaseModel):
    """A mapping of the file; it remembers its path and lines, so that later checks can name them."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    _at: Mapping | None = PrivateAttr(default=None)

    @model_validator(mode="wrap")
    @classmethod
    def _keep_place(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        model = handler(data)
        if isinstance(data, Mapping):
            model._at = data
        return model

    def path(self, *keys: str | int) -> Path:
        """Give the path of this mapping or of something in it."""
        return (*(self._at.path if self._at is not None else ()), *keys)

    def line(self, key: str | int | None = None) -> int:
        """Give the line of a key, of the mapping where the key is not written."""
        if self._at is None:
            return 1
        return self._at.lines.get(key, self._at.line)


def _both(value: Any) -> Any:
    """Take one text for the name in both languages."""
    return {"en": value, "zh": value} if isinstance(value, str) else value


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _editions(value: Any) -> Any:
    return () if value == "none" else _one_or_more(value)


def _ratio_spans(value: Any) -> Any:
    """Take a bare ratio for one that always held."""
    return [{"value": value}] if not isinstance(value, list) else value


def _quantity(value: str) -> str:
    if value not in quantities():
        raise Mistake("quantity", given=value, allowed=tuple(quantities()))
    return value


def _minute_data(value: int) -> int:
    """Take a length of minute data that HJ 212 knows."""
    if value not in _MINUTE_DATA_MS:
        given, allowed = format_duration(value), tuple(map(format_duration, _MINUTE_DATA_MS))
        raise Mistake("choice", given=given, allowed=allowed)
    return value


def _report_term(value: Any) -> int | None:
    """Read `15d` or `none` as days."""
    if value in ("none", None):
        return None
    days, rest = divmod(read_duration(value), DAY_MS)
    if rest:
        raise Mistake("whole_days", given=value)
    return days


class Names(Written):
    """A name in both languages."""

    en: Text
    zh: Text


Name = Annotated[Names, BeforeValidator(_both)]
QuantityName = Annotated[Text, AfterValidator(_quantity)]
ReportTerm = Annotated[int | None, BeforeValidator(_report_term)]
Positive = Annotated[Number, Field(gt=0, allow_inf_nan=False)]


class Plant(Written):
    """Which plant it is."""

    id: PlantId
    name: Name
    timezone: Zone
    permit: Text | None = None


class Fields(Written):
    """How a maker names the parts of a JSON message; dots lead into nested objects."""

    ts: Text = "ts"
    value: Text = "value"
    unit: Text = "unit"
    flag: Text = "flag"


class Feed(Written):
    """A topic pattern and how its messages are read."""

    topic: Text
    format: Literal["json", "json-batch", "hj212"]
    qos: Literal[0, 1, 2] = int(default("qos"))  # type: ignore[assignment]
    fields: Fields = Fields()
    time: Literal["message", "arrival"] = "message"


class Substitution(Written):
    """A line of the substitution table: what stands for a missing hour's amount."""

    capture_from: Share
    up_to_hours: Annotated[Whole, Field(ge=1, le=9000)] | None = None
    look_back: Annotated[Whole, Field(ge=1, le=9000)]


class Rules(Written):
    """The numbers of averaging."""

    valid_hour_minutes: Annotated[Whole, Field(ge=1, le=60)] = int(default("valid_hour_minutes"))
    valid_day_hours: Annotated[Whole, Field(ge=1, le=24)] = int(default("valid_day_hours"))
    oxygen_conversion: Literal["minute", "hour"] = default("oxygen_conversion")  # type: ignore[assignment]
    mass: Literal["hour", "minute"] = default("mass")  # type: ignore[assignment]
    compare: Literal["full", "rounded"] = default("compare")  # type: ignore[assignment]
    valid_share: Share = read_share(default("valid_share"))
    lateness: Duration = read_duration(default("lateness"))
    future: Duration = read_duration(default("future"))
    missing_flag: FlagLetters = default("missing_flag")
    reported_difference: Share = read_share(default("reported_difference"))
    valid_month_days: Annotated[Whole, Field(ge=1, le=31)] = int(default("valid_month_days"))
    valid_february_days: Annotated[Whole, Field(ge=1, le=29)] = int(default("valid_february_days"))
    amount_share: Share = read_share(default("amount_share"))
    substitution: tuple[Substitution, ...] = tuple(
        Substitution(capture_from=read_share(gap.capture_from), up_to_hours=gap.hours_to, look_back=gap.look_back)
        for gap in substitution()
    )
    cap_warn_at: Share = read_share(default("cap_warn_at"))
    clock_off: Duration = read_duration(default("clock_off"))
    day_begins: ClockTime = read_clock(default("day_begins"))
    night_begins: ClockTime = read_clock(default("night_begins"))
    outlook_minutes: Annotated[Whole, Field(ge=1, le=60)] = int(default("outlook_minutes"))
    outlook_share: Share = read_share(default("outlook_share"))
    outlook_recent_minutes: Annotated[Whole, Field(ge=1, le=60)] = int(default("outlook_recent_minutes"))
    alarm_delay: Delay = 0
    incident_gap: Duration = read_duration(default("incident_gap"))
    forgotten: Duration = read_duration(default("forgotten"))
    returned_ends: Duration = read_duration(default("returned_ends"))
    longest_shelf: Duration = read_duration(default("longest_shelf"))
    longest_breach_shelf: Duration = read_duration(default("longest_breach_shelf"))
    storm_mails: Annotated[Whole, Field(ge=1, le=100)] = int(default("storm_mails"))
    meter_event_stands: Duration = read_duration(default("meter_event_stands"))
    fault_warn_at: Share = read_share(default("fault_warn_at"))
    fault_workdays_left: Annotated[Whole, Field(ge=1, le=99)] = int(default("fault_workdays_left"))
    calibration_ahead: Share = read_share(default("calibration_ahead"))
    report_ahead: Duration = read_duration(default("report_ahead"))
    leak_night_begins: ClockTime = read_clock(default("leak_night_begins"))
    leak_night_ends: ClockTime = read_clock(default("leak_night_ends"))
    waste_stored: Duration = read_duration(default("waste_stored"))
    bill_difference: Share = read_share(default("bill_difference"))


class Checks(Written):
    """What makes a point's values suspicious."""

    stuck: Duration | None = None
    jump: AmountField | None = None


class Point(Written):
    """One series of an outlet, measured or calculated."""

    quantity: QuantityName
    unit: Unit
    interval: Duration
    range: Annotated[tuple[AmountField, ...], Field(min_length=2, max_length=2)] | None = None
    detection_limit: AmountField | None = None
    name: Name | None = None
    formula: Text | None = None
    state: Literal["dry", "wet", "standard", "actual"] | None = None
    checks: Checks | None = None
    calibration: Duration | None = None


class Running(Written):
    """A condition on a point's value."""

    point: Text
    min: AmountField | None = None
    max: AmountField | None = None


class Limit(Written):
    """One line of the permit."""

    pollutant: Text | None = None
    point: Text | None = None
    basis: Literal["concentration", "level", "rate", "mass", "interlock"]
    window: Window
    min: AmountField | None = None
    max: AmountField | None = None
    standard: Text
    warn_at: Share | None = None
    hold: Duration | None = None
    while_: Running | None = Field(default=None, alias="while")
    from_: Day | None = Field(default=None, alias="from")
    to: Day | None = None


class Hj212(Written):
    """How an HJ 212 device of the outlet deviates from the standard."""

    crc: Literal["hj212", "modbus", "modbus_swapped", "off"] = "hj212"
    stamp: Literal["start", "end"] = "start"
    minute: Annotated[Duration, AfterValidator(_minute_data)] = read_duration(default("hj212_minute"))


class Tax(Written):
    """What the tax calls an outlet's particulate matter."""

    pm: Literal["smoke", "dust"] | None = None


class Outlet(Written):
    """A stack, a waste-water outlet or a noise position."""

    name: Name
    kind: Literal["air", "water", "noise"]
    mn: Mn | None = None
    hj212: Hj212 | None = None
    reference_oxygen: Percent | None = None
    atmospheric_pressure: AmountField | None = None
    running: Running | None = None
    tax: Tax | None = None
    discharge: Literal["direct", "indirect"] | None = None
    points: dict[Id, Point] = Field(min_length=1)
    limits: tuple[Limit, ...] = ()


class Ratio(Written):
    """A CT/PT ratio and the days it holds for, both inclusive."""

    value: Positive
    from_: Day | None = Field(default=None, alias="from")
    to: Day | None = None


class Meter(Written):
    """A register that only rises, increments of one, a rate, or what other meters make together (`formula`)."""

    quantity: QuantityName
    kind: Literal["counter", "pulse", "rate"] = "counter"
    unit: Unit
    interval: Duration | None = None  # required without `formula`; with one it is the slowest part's
    formula: Text | None = None
    role: Literal["purchased", "generated", "sub", "output"] | None = None
    parent: Text | None = None
    product: Text | None = None
    state: Literal["0degC", "20degC"] | None = None
    ratio: Annotated[tuple[Ratio, ...], BeforeValidator(_ratio_spans), Field(min_length=1)] = (Ratio(value=1.0),)
    wraps_at: AmountField | None = None
    max_rate: AmountField | None = None
    name: Name | None = None


class Balance(Written):
    """A parent meter against the sum of its children."""

    parent: Text
    warn_above: Share
    window: Literal["1h", "1d", "1mo"] = "1d"
    night_minimum: AmountField | None = None


class Recipient(Written):
    """Who gets which mail, and after how long."""

    email: Annotated[tuple[Email, ...], BeforeValidator(_one_or_more), Field(min_length=1)]
    severity: Annotated[tuple[Severity, ...], BeforeValidator(_one_or_more), Field(min_length=1)]
    after: Delay = 0
    language: Literal["zh", "en", "both"] = default("recipient_language")  # type: ignore[assignment]
    # None: daily for those who get warnings or data.
    digest: Annotated[tuple[Edition, ...], BeforeValidator(_editions)] | None = None


class QuietHours(Written):
    """Local clock times between which mails of these severities wait."""

    from_: ClockTime = Field(alias="from")
    to: ClockTime
    severity: Annotated[tuple[Severity, ...], BeforeValidator(_one_or_more), Field(min_length=1)]


class FaultClock(Written):
    """How long a monitor may be out of order before the authority hears of it and before it works again."""

    report_within: WorkTimeField
    repair_within: WorkTimeField


class Reporting(Written):
    """Within how many days after its period an execution report is handed in; None: none is."""

    monthly: ReportTerm = None
    quarterly: ReportTerm = None
    yearly: ReportTerm = None


class Alarms(Written):
    """How alarms repeat and clear, and to whom they go."""

    recipients: dict[Id, Recipient] = {}
    repeat: Duration = read_duration(default("repeat"))
    deadband: Annotated[Number, Field(ge=0, lt=1, allow_inf_nan=False)] = float(default("deadband"))
    quiet_hours: QuietHours | None = None
    digest: ClockTime | None = None
    fault_clock: FaultClock | None = None


class Calendar(Written):
    """The working days that `workdays` counts."""

    workdays: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
    holidays: tuple[Day, ...] = ()
    extra_workdays: tuple[Day, ...] = ()


class Tariff(Written):
    """Clock times of dear and cheap electricity; the rest is flat."""

    peak: tuple[ClockSpanField, ...] = ()
    valley: tuple[ClockSpanField, ...] = ()


class Denominator(Written):
    """What intensities are divided by: a product counted by meters, or a ledger item with its unit."""

    name: Name | None = None
    quantity: QuantityName | None = None
    product: Text | None = None
    ledger: Text | None = None
    unit: Unit | None = None


class GridFactor(Written):
    """Which emission factor purchased electricity takes."""

    region: Text = "national"
    method: Literal["location", "market"] = "location"
    data_year: Annotated[Whole, Field(ge=1970, le=2200)] | None = None


class Factor(Written):
    """A factor of the plant's own in place of the table's."""

    value: Annotated[Number, Field(allow_inf_nan=False)]
    unit: Text
    source: Text


class Target(Written):
    """A yearly target of a metric, as it stands or per unit of a denominator."""

    metric: Text
    per: Text | None = None
    max: AmountField | None = None
    min: AmountField | None = None
    year: Annotated[Whole, Field(ge=1970, le=2200)]


class Codes(Written):
    """What others call a metric."""

    hkex: Text | None = None
    gri: Text | None = None
    cn: Text | None = None


class OwnMetric(Written):
    """A metric of the plant's own: a name, a unit, and how it is derived."""

    name: Name
    unit: Text
    derive: Text
    decimals: Annotated[Whole, Field(ge=0, le=9)] = 2
    group: Id = "own"
    codes: Codes = Codes()
    intensive: bool = True


class TaxRate(Written):
    """What a pollution equivalent costs, CNY, and the days it does, both inclusive."""

    value: Positive
    from_: Day | None = Field(default=None, alias="from")
    to: Day | None = None


class EsgTax(Written):
    """What the environmental protection tax costs where the plant stands."""

    region: Text = default("tax_region")
    air: Annotated[tuple[TaxRate, ...], BeforeValidator(_ratio_spans)] = ()
    water: Annotated[tuple[TaxRate, ...], BeforeValidator(_ratio_spans)] = ()


class Esg(Written):
    """The annual figures."""

    denominators: dict[Id, Denominator] = {}
    below_detection: Literal["zero", "half", "measured"] = default("below_detection")  # type: ignore[assignment]
    grid_factor: GridFactor = GridFactor()
    factors: dict[Text, Factor] = {}
    targets: tuple[Target, ...] = ()
    metrics: dict[MetricId, OwnMetric] = {}
    gwp: Literal["AR5", "AR6"] = default("gwp")  # type: ignore[assignment]
    ch4_n2o: bool = False
    lab_fills: bool = False
    tax: EsgTax = EsgTax()


class File(Written):
    """The whole plant file."""

    plant: Plant
    feeds: tuple[Feed, ...] = ()
    rules: Rules = Rules()
    outlets: dict[Id, Outlet] = {}
    meters: dict[MeterId, Meter] = {}
    balances: tuple[Balance, ...] = ()
    reporting: Reporting | None = None
    alarms: Alarms = Alarms()
    calendar: Calendar = Calendar()
    tariff: Tariff | None = None
    shifts: dict[Id, ClockSpanField] = {}
    esg: Esg | None = None
