"""This module is the plant as plantmon works with it: resolved, in the points' own units, frozen.

The shape a person writes, with its defaults, stands in `plant/schema.py`; `plant/load.py` turns one into the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from plantmon.times import DAY_MS, HOUR_MS, MINUTE_MS, PlantTime

GRACE_MS = 90_000  # design, Windows: a window stays provisional 90 s after its end, at least two intervals


@dataclass(frozen=True, slots=True)
class Name:
    """A name in both languages of the plant's people."""

    en: str
    zh: str

    def in_language(self, language: str) -> str:
        """Give the name in `zh`, or in English for any other language."""
        return self.zh if language == "zh" else self.en


class Kind(StrEnum):
    """What arithmetic a point's windows follow."""

    GAUGE = "gauge"  # arithmetic mean
    ENERGY = "energy"  # sound level: energy mean
    COUNTER = "counter"  # register: difference at the edges


@dataclass(frozen=True, slots=True)
class RatioSpan:
    """A CT/PT ratio and the instants it holds for, half-open; None is open-ended."""

    value: float
    start_ms: int | None
    end_ms: int | None


@dataclass(frozen=True, slots=True)
class Register:
    """What is known of a counter's register, to tell consumption from reset, roll-over and replacement."""

    ratios: tuple[RatioSpan, ...]
    wraps_at: float | None  # in the register's unit, before the ratio
    max_rate_per_h: float | None  # in the point's unit per hour, after the ratio
    role: str | None
    parent: str | None
    product: str | None
    state: str | None = None  # of gas: 0degC, 20degC; None: 0 degC
    counts: str = "counter"  # counter: a register; pulse: increments; rate: a power or flow
    reading_unit: str | None = None  # of a rate's readings: kW where amounts are in kWh; None: the amounts'
    per_hour: float = 1.0  # a rate of 1 in its reading unit is so many of the amount's unit an hour
    terms: tuple[tuple[Fraction, str], ...] = ()  # of a virtual meter: factor, in its own unit, and meter


@dataclass(frozen=True, slots=True)
class Gas:
    """What brings a gas point to mg/m3, or m3/h, of dry gas at 0 degC and 101.325 kPa; ids are those of helper points.

    A concentration takes `factor` (mg/m3 for one of the point's unit, where that is ppm) and, measured wet, `moisture`.
    An actual flow takes all three helpers; gas pressure is gauge pressure, above `atmospheric_kpa`.
    """

    factor: float = 1.0
    moisture: str | None = None
    temperature: str | None = None
    pressure: str | None = None
    atmospheric_kpa: float = 101.325
    temperature_unit: str = "degC"  # the helper points' own units
    pressure_unit: str = "kPa"
    moisture_unit: str = "%"
    unit: str | None = None  # of the result: mg/m3 for a point in ppm; None: the point's own


@dataclass(frozen=True, slots=True)
class Checks:
    """What makes a point's values suspicious: one value for so long, a step between minutes; None: not looked at."""

    stuck_ms: int | None = None
    jump: float | None = None  # in the point's unit


@dataclass(frozen=True, slots=True)
class Point:
    """One series, measured, or calculated from its `parts`. `id` is `DA001.nox` for a monitor, `E-MAIN` for a meter."""

    id: str
    outlet: str | None
    name: Name
    quantity: str
    unit: str
    kind: Kind
    interval_ms: int
    range_low: float | None = None
    range_high: float | None = None
    detection_limit: float | None = None
    register: Register | None = None
    formula: str | None = None  # as written; None: measured
    parts: tuple[str, ...] = ()  # full ids of the points the formula names, in its order
    gas: Gas | None = None
    checks: Checks | None = None
    calibration_ms: int | None = None  # how often it is calibrated; None: nobody is reminded

    @property
    def reading_unit(self) -> str:
        """The unit its readings are kept in; only of a rate it is another than that of its amounts."""
        own = self.register.reading_unit if self.register is not None else None
        return own or self.unit

    @property
    def is_virtual(self) -> bool:
        """Whether it is a meter made of other meters' amounts."""
        return self.kind is Kind.COUNTER and self.formula is not None

    @property
    def grace_ms(self) -> int:
        """How long after a window's end it stays open."""
        return max(GRACE_MS, 2 * self.interval_ms)

    @property
    def is_slow(self) -> bool:
        """Whether values come less often than once a minute, so that there are no minute windows.

        A calculated point has a value every minute, whatever its parts' intervals.
        """
        return self.interval_ms > MINUTE_MS and self.formula is None

    @property
    def is_sparse(self) -> bool:
        """Whether its readings are few over a long span, and kept by point."""
        return self.kind is Kind.COUNTER or self.is_slow


class Basis(StrEnum):
    """What of a window a limit speaks of."""

    CONCENTRATION = "concentration"
    LEVEL = "level"
    RATE = "rate"
    MASS = "mass"
    INTERLOCK = "interlock"  # a level that must hold while something else runs: abatement while its line does


@dataclass(frozen=True, slots=True)
class Running:
    """The condition under which a source runs: the point's value within inclusive bounds (plant file `running`)."""

    point: str
    minimum: float | None
    maximum: float | None


@dataclass(frozen=True, slots=True)
class Limit:
    """One line of the permit. `key` names it for good: outlet, pollutant or point, basis, window, standard, from."""

    key: str
    outlet: str
    subject: str  # the pollutant or the point's short id, as written
    point: str  # full id of the point it is judged on
    basis: Basis
    window: str  # reading, 1h, 1d, 1mo, 1y, day-period, night-period
    minimum: float | None  # in `unit`
    maximum: float | None
    unit: str  # the point's unit for level, interlock and concentration (mg/m3 where the point is in ppm), else its own
    standard: str
    warn_at: float | None  # share of the maximum
    hold_ms: int
    valid_from: date | None
    valid_to: date | None
    unavailable: str | None  # reason code why no rule judges it yet, None when it is judged
    decimals: int | None = None  # values are rounded to so many before the comparison; None: full values are compared
    running: Running | None = None  # while this holds the limit applies: an interlock's `while`, else its outlet's

    def covers(self, day: date) -> bool:
        """Whether the limit is valid on a local date; both ends belong to it."""
        return (self.valid_from is None or day >= self.valid_from) and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Hj212:
    """How an outlet's HJ 212 device sends: the standard's way (HJ 212-2017 App. A, Tables 4 and 9), or its own."""

    crc: str = "hj212"  # modbus, modbus_swapped, off
    stamp: str = "start"  # or end: which end of its period minute, hour and day data carry
    minute_ms: int = 10 * MINUTE_MS  # the length of its minute data


@dataclass(frozen=True, slots=True)
class Outlet:
    """A stack, a waste-water outlet or a noise position."""

    id: str
    name: Name
    kind: str  # air, water, noise
    points: tuple[str, ...]
    running: Running | None
    reference_oxygen_pct: float | None
    mn: str | None
    hj212: Hj212 = Hj212()
    discharge: str | None = None  # direct, indirect; water only
    tax_pm: str | None = None  # what the tax calls its particulate matter: smoke, dust


@dataclass(frozen=True, slots=True)
class FeedSpec:
    """One line of `feeds`: a topic pattern and how its messages are read."""

    topic: str
    format: str  # json, json-batch, hj212
    qos: int
    field_ts: str
    field_value: str
    field_unit: str
    field_flag: str
    arrival_as_time: bool


@dataclass(frozen=True, slots=True)
class Substitution:
    """A line of the substitution table: which maximum stands for a missing hour's amount (air).

    It applies from a share of hours captured on, to gaps of at most `up_to_hours` (None: of any length), and takes the
    maximum of the last `look_back` measured hours.
    """

    capture_from: float  # 0..1
    up_to_hours: int | None
    look_back: int


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers of averaging; each with its source in the plant-file reference.

    `substitution` stands best capture first and short gaps before long ones: the first line that fits is the one; where
    none does there is no substitution.
    """

    valid_hour_minutes: int
    valid_day_hours: int
    valid_share: float  # 0..1
    compare: str  # full, rounded
    oxygen_conversion: str
    mass: str
    lateness_ms: int
    future_ms: int
    missing_flag: str
    reported_difference: float  # 0..1: a device's mean further from ours is an alarm
    # The rest repeats the defaults of tables/rules.csv and tables/substitution.csv; a test holds them equal.
    valid_month_days: int = 25
    valid_february_days: int = 23
    amount_share: float = 0.75  # 0..1: of an hour's running minutes that must be valid for a measured amount
    substitution: tuple[Substitution, ...] = (
        Substitution(0.9, 24, 180),
        Substitution(0.9, None, 720),
        Substitution(0.75, None, 2160),
    )
    cap_warn_at: float = 0.8  # 0..1: of a permitted quantity, where its limit says nothing else
    clock_off_ms: int = 10 * MINUTE_MS
    day_begins: time = time(6)  # of day and night periods; full hours
    night_begins: time = time(22)
    outlook_minutes: int = 15  # valid ones of a running hour, before which nobody is warned of what it will be
    outlook_share: float = 0.25  # 0..1: of a running day or period, likewise
    outlook_recent_minutes: int = 10  # valid ones of a running hour whose mean is taken to go on
    alarm_delay_ms: int = 0  # a data alarm that is over sooner is told to nobody
    incident_gap_ms: int = HOUR_MS  # what comes back within it is the same incident
    forgotten_ms: int = DAY_MS  # after which a breach that was acknowledged and still stands is told again
    returned_ends_ms: int = DAY_MS  # after which a warning or data alarm that is over ends unacknowledged
    longest_shelf_ms: int = 7 * DAY_MS
    longest_breach_shelf_ms: int = DAY_MS
    storm_mails: int = 5  # new alarms within a minute that are mailed one by one; more are listed in one mail
    meter_event_stands_ms: int = DAY_MS
    fault_warn_at: float = 0.75  # 0..1: of the time to report a fault, or to repair it within hours
    fault_workdays_left: int = 1  # whole ones, to repair it
    calibration_ahead: float = 0.1  # 0..1: of a calibration's interval, before its end
    report_ahead_ms: int = 10 * DAY_MS
    leak_night_begins: time = time(0)  # the hours in which a meter should stand almost still
    leak_night_ends: time = time(5)
    waste_stored_ms: int = 365 * DAY_MS  # hazardous waste in store for longer is noted
    bill_difference: float = 0.02  # 0..1: of the bill, above which meter and bill do not agree


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets which mail, after how long, in which language (zh, en or both)."""

    name: str
    email: tuple[str, ...]
    severities: frozenset[str]  # warning, breach, data
    after_ms: int
    language: str
    digest: tuple[str, ...] = ()  # the editions they get: daily, weekly, monthly


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Local clock times between which mails of these severities wait."""

    start: time
    end: time
    severities: frozenset[str]


@dataclass(frozen=True, slots=True)
class WorkTime:
    """A span in hours and days (`ms`), or in working days of the plant's calendar; one of the two is None."""

    ms: int | None
    workdays: int | None


@dataclass(frozen=True, slots=True)
class FaultClock:
    """How long a monitor may be out of order before the authority hears of it, and before it works again."""

    report_within: WorkTime
    repair_within: WorkTime


@dataclass(frozen=True, slots=True)
class Balance:
    """A parent meter against the sum of its children; more than a share unexplained, or at night, is a leak."""

    parent: str
    children: tuple[str, ...]
    warn_above: float  # 0..1, of the parent's amount
    window: str  # 1h, 1d, 1mo
    night_minimum: float | None = None  # in the parent's unit per hour


@dataclass(frozen=True, slots=True)
class Reporting:
    """Within how many days after its period an execution report is handed in; None: none is."""

    monthly: int | None = None
    quarterly: int | None = None
    yearly: int | None = None


@dataclass(frozen=True, slots=True)
class ClockSpan:
    """Local clock times [start, end), over midnight when the end comes first."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Tariff:
    """Clock times of dear and cheap electricity, which share no minute; the rest is flat."""

    peak: tuple[ClockSpan, ...] = ()
    valley: tuple[ClockSpan, ...] = ()


@dataclass(frozen=True, slots=True)
class Calendar:
    """The working days: weekdays (Monday is 0), without the holidays, and with the days worked instead."""

    workdays: frozenset[int] = frozenset(range(5))
    holidays: frozenset[date] = frozenset()
    extra_workdays: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class AlarmRules:
    """How alarms repeat and clear, and to whom they go."""

    recipients: tuple[Recipient, ...]
    repeat_ms: int
    deadband: float
    quiet_hours: QuietHours | None
    digest: time | None
    fault_clock: FaultClock | None = None

    def next_escalation(self, severity: str, told_ms: int) -> int | None:
        """Give the age of an unacknowledged alarm at which the next recipient is told; None when all have been.

        `told_ms` is the age at which recipients were last looked for.
        """
        later = [one.after_ms for one in self.recipients if severity in one.severities and one.after_ms > told_ms]
        return min(later, default=None)


@dataclass(frozen=True, slots=True)
class DenominatorRule:
    """What intensities are divided by: what meters count (of one product), or a ledger item in `unit`."""

    id: str
    name: Name
    quantity: str | None
    product: str | None
    ledger: str | None
    unit: str | None  # None: the counter's own


@dataclass(frozen=True, slots=True)
class OwnFactor:
    """A factor of the plant's own in place of the table's."""

    value: Decimal
    unit: str
    source: str


@dataclass(frozen=True, slots=True)
class TargetRule:
    """A year's target of a metric, as it stands or per unit of a denominator; a unit of None is the metric's own."""

    metric: str
    per: str | None
    minimum: Decimal | None
    minimum_unit: str | None
    maximum: Decimal | None
    maximum_unit: str | None
    year: int


@dataclass(frozen=True, slots=True)
class OwnMetric:
    """A metric of the plant's own, in the words of the catalogue (`tables/metrics.csv`)."""

    id: str
    name: Name
    unit: str
    derive: str
    decimals: int
    group: str
    codes: Mapping[str, str]
    is_intensive: bool


@dataclass(frozen=True, slots=True)
class OwnTaxRate:
    """What a pollution equivalent of `air` or `water` costs by the plant file, CNY; both days are inclusive."""

    medium: str
    value: Decimal
    valid_from: date | None
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class EsgRules:
    """How the annual figures are made; the defaults are those of a file that says nothing of them."""

    denominators: tuple[DenominatorRule, ...] = ()
    below_detection: str = "zero"  # zero, half, measured
    grid_region: str = "national"
    grid_method: str = "location"  # location, market: which of the two the total takes
    factors: Mapping[str, OwnFactor] = field(default_factory=dict)
    targets: tuple[TargetRule, ...] = ()
    metrics: tuple[OwnMetric, ...] = ()
    gwp: str = "AR6"  # AR5, AR6
    ch4_n2o: bool = False  # whether CH4 and N2O of burning count too
    grid_data_year: int | None = None  # whose grid factors every year takes; None: each year its own
    tax_region: str = "chongqing"  # whose tax rates apply
    tax_rates: tuple[OwnTaxRate, ...] = ()  # in place of the region's
    lab_fills: bool = False  # whether laboratory results stand in for a monitor's months without any amount


@dataclass(frozen=True, slots=True)
class Plant:
    """A whole plant file, resolved. `version` is the sha256 of the file's text."""

    id: str
    name: Name
    time: PlantTime
    permit: str | None
    version: str
    text: str
    feeds: tuple[FeedSpec, ...]
    rules: Rules
    outlets: dict[str, Outlet]
    points: dict[str, Point]
    limits: tuple[Limit, ...]
    alarms: AlarmRules
    calendar: Calendar = Calendar()
    balances: tuple[Balance, ...] = ()
    reporting: Reporting = Reporting()
    esg: EsgRules = EsgRules()
    tariff: Tariff | None = None
    shifts: Mapping[str, ClockSpan] = field(default_factory=dict)  # by name, none of them sharing a minute
