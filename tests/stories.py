"""This module is a book of stories: what a plant lives through, and what its people hear of it, each thing once.

They are told by `tests/integration/test_stories*.py`. `live` is a plant's life; `yield` is what people hear since the
last one.
"""

from __future__ import annotations

from collections.abc import Generator

from live_story import Boxes, Hears, Live, Script

LINE = """\
outlets:
  DA002:
    name: Coating line
    kind: air
    points:
      nmhc: {quantity: nmhc, unit: mg/m3, interval: 60s, range: [-5, 1000]}
      rto: {quantity: temperature, unit: degC, interval: 60s, range: [0, 1200]}
    limits:
      - {pollutant: nmhc, basis: concentration, max: 60 mg/m3, window: 1h, standard: permit}
      - {point: rto, basis: level, min: 760 degC, window: reading, standard: process rule}
"""
EHS = "ehs: {email: ehs@x.test, severity: [breach, warning, data], language: en}"
DEPUTY = "deputy: {email: deputy@x.test, severity: breach, language: en}"
MANAGER = "manager: {email: manager@x.test, severity: breach, after: 30min, language: en}"
EXIM = "open: {email: open@x.test, severity: [breach, warning, data], language: en}"
Telling = Generator[Hears, None, None]


def people(*recipients: str) -> str:
    """Give a plant file with the coating line and these recipients."""
    return LINE + "alarms:\n  recipients:\n" + "".join(f"    {one}\n" for one in recipients)


def healthy(live: Live) -> None:
    """Let the line run well."""
    live.values = {"DA002.nmhc": 20.0, "DA002.rto": 820.0}


def rto_trip(live: Live, who: str = "ehs") -> Telling:
    """Trip the RTO: people are warned before the hour is lost, then it is lost; the next complies."""
    healthy(live)
    live.live("08:10")
    yield []
    live.values["DA002.nmhc"] = 120.0
    live.live("08:20")
    yield [f"raised outlook -> {who}"]
    live.live("09:02")
    yield [f"raised breach -> {who}"]
    healthy(live)
    live.live("10:02")
    yield [f"cleared breach -> {who}"]


def flapping_sensor(live: Live) -> Telling:
    """Let a temperature cross its limit every other minute for half an hour: one mail, and one when it stayed well."""
    healthy(live)
    live.live("08:05")
    yield []
    live.values["DA002.rto"] = lambda minute: 700.0 if minute % 2 else 820.0
    live.live("08:08")
    yield ["raised breach -> ehs"]
    live.live("08:35")
    yield []
    healthy(live)
    live.live("09:20")
    yield []
    live.live("09:40")
    yield ["cleared breach -> ehs"]


def broker_away(live: Live) -> Telling:
    """Take the broker away for an hour: that is one alarm, and none of the silence behind it."""
    healthy(live)
    live.live("08:10")
    yield []
    live.broker.stop()
    live.is_broker_up = False
    live.at("08:15")
    yield ["raised broker_away -> ehs"]
    live.at("09:10")
    yield []
    live.broker.start()
    live.is_broker_up = True
    live.live("09:20")
    yield []
    live.live("10:30")
    yield ["cleared broker_away -> ehs"]


def nobody_acknowledges(live: Live) -> Telling:
    """Let a breach stand: after half an hour the manager is told, after four both are reminded."""
    live.values = {"DA002.nmhc": 120.0, "DA002.rto": 820.0}
    live.live("08:20")
    yield ["raised outlook -> ehs"]
    live.live("09:02")
    yield ["raised breach -> ehs"]
    live.live("09:34")
    yield ["escalated breach -> manager"]
    live.live("13:04")
    yield ["reminded breach -> ehs, manager"]


def one_acknowledges(live: Live) -> Telling:
    """Two are told and one acknowledges: nobody is reminded nor called any more, and both hear the end."""
    live.values = {"DA002.nmhc": 120.0, "DA002.rto": 820.0}
    live.live("08:20")
    yield ["raised outlook -> ehs"]
    live.live("09:02")
    yield ["raised breach -> deputy, ehs"]
    [(alarm,)] = live.service.query("SELECT id FROM alarm WHERE kind = 'breach'")
    live.command("alarms", "ack", str(alarm), "--by", "Li", "--note", "burner relit")
    yield []
    live.live("13:34")
    yield []
    healthy(live)
    live.live("15:02")
    yield ["cleared breach -> deputy, ehs"]


def mail_server_away(live: Live) -> Telling:
    """Take the mail server away over night: in the morning everything arrives, in order and once."""
    assert isinstance(live.office, Boxes)
    live.values = {"DA002.nmhc": 120.0, "DA002.rto": 820.0}
    live.live("21:20")
    yield ["raised outlook -> ehs"]
    live.office.box.stop()
    live.live("22:02")
    yield ["raised breach -> ehs"]
    live.live("22:35")
    yield ["escalated breach -> manager"]
    live.live("02:05")
    yield ["reminded breach -> ehs, manager"]
    healthy(live)
    live.live("04:02")
    yield ["cleared breach -> ehs, manager"]
    live.office.box.start()
    yield []


WEEKLY = """\
outlets:
  DA002:
    name: Coating line
    kind: air
    points:
      nmhc: {quantity: nmhc, unit: mg/m3, interval: 60s, calibration: 7d}
alarms: {recipients: {ehs: {email: ehs@x.test, severity: warning, language: en}}}
"""


def calibration_due(live: Live) -> Telling:
    """Let a week pass after a calibration: a reminder before it is over, one when it is, and an end with the next."""
    calibrate = ("calibration", "add", "DA002.nmhc", "--zero", "0.3", "--span", "98.7", "--by", "Li")
    live.command(*calibrate, "--at", "2026-03-02T07:00", "--result", "pass")
    yield []
    live.on("2026-03-08 14:30")
    yield ["raised calibration_due -> ehs"]
    live.on("2026-03-09 07:30")
    yield ["raised calibration_due -> ehs"]
    live.command(*calibrate, "--at", "2026-03-09T07:15", "--result", "pass")
    yield ["cleared calibration_due -> ehs"]


STORM = 200


def storm(live: Live) -> Telling:
    """200 limits are broken at once: a handful of mails, each alarm has its row, and the ends are one mail."""
    points = [f"DA003.t{number:03}" for number in range(STORM)]
    live.at("08:01")
    live.batch(dict.fromkeys(points, 50.0))
    yield []
    live.at("08:02")
    live.batch(dict.fromkeys(points, 150.0))
    live.at("08:04")
    yield [*["raised breach -> ehs"] * 5, "storm storm -> ehs"]
    live.at("08:05")
    live.batch(dict.fromkeys(points, 50.0))
    yield []
    live.at("09:10")  # they stayed well for an hour
    live.wait_for("SELECT count(*) FROM alarm WHERE told = 'cleared'", STORM)
    live.at("09:12")  # and the ends waited a minute for each other
    yield ["storm storm -> ehs"]


def storm_plant() -> str:
    """Give a plant file with a stack of 200 temperatures, each with its limit."""
    numbers = [f"t{number:03}" for number in range(STORM)]
    points = "".join(f"      {name}: {{quantity: temperature, unit: degC, interval: 60s}}\n" for name in numbers)
    limits = "".join(
        f"      - {{point: {name}, basis: level, max: 100 degC, window: reading, standard: rule}}\n" for name in numbers
    )
    head = "outlets:\n  DA003:\n    name: Drier\n    kind: air\n"
    return f"{head}    points:\n{points}    limits:\n{limits}alarms: {{recipients: {{{EHS}}}}}\n"


STORIES: dict[str, tuple[Script, str, str]] = {
    "rto trip": (rto_trip, people(EHS), "2026-03-03 08:00"),
    "flapping sensor": (flapping_sensor, people(EHS), "2026-03-03 08:00"),
    "broker away": (broker_away, people(EHS), "2026-03-03 08:00"),
    "nobody acknowledges": (nobody_acknowledges, people(EHS, MANAGER), "2026-03-03 08:00"),
    "one of two acknowledges": (one_acknowledges, people(EHS, DEPUTY, MANAGER), "2026-03-03 08:00"),
    "mail server away": (mail_server_away, people(EHS, MANAGER), "2026-03-03 21:00"),
    "calibration due": (calibration_due, WEEKLY, "2026-03-02 08:00"),
    "storm": (storm, storm_plant(), "2026-03-03 08:00"),
}
