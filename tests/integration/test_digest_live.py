"""This module proves the digest's way into a real mailbox, once over a kill, and onto the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from story import Story

from plantmon.model.alarm import Condition, Severity
from plantmon.plant import load_plant_text
from plantmon.times import HOUR_MS
from simulators.mailbox import Mailbox, ReceivedMail
from simulators.service import Service, eventually, plant_clock

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]

TEXT = """\
plant:
  id: p
  name: {en: Works <1>, zh: 一厂}
  timezone: Asia/Shanghai
feeds:
  - {topic: "p/{outlet}/{point}", format: json, qos: 1}
outlets:
  DA001:
    name: {en: Boiler stack, zh: 锅炉排气筒}
    kind: air
    points:
      nox: {quantity: nox, unit: mg/m3, interval: 60s, range: [-5, 500]}
    limits:
      - {pollutant: nox, basis: concentration, max: 50 mg/m3, window: 1h, standard: permit}
alarms:
  recipients:
    ehs: {email: [ehs@example.com], severity: [data], language: both}
    hq: {email: [hq@example.com], severity: [breach], language: en, digest: [daily, weekly]}
  quiet_hours: {from: "22:00", to: "06:00", severity: [data]}
  digest: "08:00"
"""
PLANT = load_plant_text(TEXT, "plant.yaml")
MONDAY = PLANT.time.parse("2020-03-02")
NIGHT = MONDAY + 23 * HOUR_MS
CLOSED_PORT = 1  # no broker is needed


def live(folder: Path) -> None:
    """Live a Monday with two hours in breach; at night a device's clock is wrong, of which nobody hears at once."""
    story = Story(folder, PLANT, now_ms=MONDAY + 9 * HOUR_MS)
    for hour in range(24):
        story.hour("DA001.nox", MONDAY + hour * HOUR_MS, 60.0 if hour in (9, 10) else 40.0)
    facts = {"outlet": "DA001", "point": "DA001.nox", "start": NIGHT, "end": NIGHT}
    off = Condition("device_clock:DA001", "device_clock", Severity.DATA, True, NIGHT, NIGHT, facts)
    story.apply([off], NIGHT)
    story.settle(MONDAY + 31 * HOUR_MS)
    story.close()


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Mailbox]:
    """Run a mailbox."""
    with Mailbox(tmp_path / "mails") as running:
        yield running


def digests(box: Mailbox) -> list[ReceivedMail]:
    """Give the digests that arrived."""
    return [mail for mail in box.mails if "igest" in mail.subject]


def accepted(service: Service) -> int:
    """Count the digests whose acceptance is on record."""
    return sum(one["event"] == "mail_accepted" and one["mail_event"] == "digest" for one in service.events())


def test_the_daemon_sends_it_once(tmp_path: Path, box: Mailbox) -> None:
    """At eight each reader's digest arrives, in their languages, with what the night held; a kill repeats nothing."""
    folder = tmp_path / "plant"
    folder.mkdir()
    live(folder)
    settings = plant_clock("2020-03-03T07:59:00+08:00", rate=20.0)
    service = Service(folder, TEXT, CLOSED_PORT, SMTP__PORT=box.port, **settings).start(is_connected=False)
    try:
        # Killed between acceptance and its record it would come once more, under the same Message-ID.
        assert eventually(lambda: accepted(service) == 2, 20)
        service.kill9()
        service.start(is_connected=False)
        assert eventually(lambda: any(one["event"] == "started" for one in service.events()), 10)
        assert not eventually(lambda: len(digests(box)) > 2, 4)
    finally:
        service.stop()
    by_address = {mail.recipients[0]: mail for mail in digests(box)}
    ehs, hq = by_address["ehs@example.com"], by_address["hq@example.com"]
    assert ehs.subject.startswith("[plantmon] 日报 Daily digest Monday 2020-03-02: ")
    assert ehs.text.index("监测值与限值") < ehs.text.index("Measured against limits")
    assert "Held over quiet hours\n- Device clock wrong: DA001 Boiler stack" in ehs.text.replace("\r\n", "\n")
    assert "Held over quiet hours" not in hq.text
    assert "监测值" not in hq.text
    assert "exceeded 2 of 24" in hq.text
    assert hq.html is not None
    assert "Works &lt;1&gt;" in hq.html
    assert [mail for mail in box.mails if "Device clock" in mail.subject] == []


def test_the_command_prints_it(tmp_path: Path) -> None:
    """`plantmon digest` prints the newest day, a named one, a week, in each language and form, and sends nothing."""
    live(tmp_path)
    service = Service(tmp_path, TEXT, CLOSED_PORT, **plant_clock("2020-03-03T07:00:00+08:00"))

    def told(*arguments: str) -> str:
        done = service.run("digest", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    newest = told()
    assert newest.startswith("[plantmon] Daily digest Monday 2020-03-02: ")
    assert "exceeded 2 of 24" in newest
    assert "Held over quiet hours" in newest
    assert told("--date", "2020-03-02", "--lang", "zh").startswith("[plantmon] 日报 2020-03-02 星期一: ")
    assert "超标 2/24" in told("--edition", "weekly", "--date", "2020-03-04", "--lang", "both")
    assert told("--format", "html").lstrip().startswith("<!DOCTYPE html>")
    done = service.run("digest", "--date", "yesterday")
    assert (done.returncode, done.stderr.strip()) == (1, "yesterday is no day, expected one such as 2020-03-01")
    with Story(tmp_path, PLANT, now_ms=MONDAY + 31 * HOUR_MS).store.readers.snapshot() as connection:
        assert connection.execute("SELECT count(*) FROM message WHERE event = 'digest'").fetchone() == (0,)
