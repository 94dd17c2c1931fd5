"""This module proves that the gallery has a mail of each kind, that each is whole, and that its figures agree."""

from __future__ import annotations

import html
import re

import pytest

from plantmon.notify.digest_facts import EDITIONS
from plantmon.notify.facts import EVENTS, KINDS
from simulators.mail_gallery import COLUMNS, LANGUAGES, page
from simulators.mail_gallery_facts import NMHC, UNKNOWN, Mail, at, mails, mean
from simulators.mail_gallery_facts import series as minutes

ALL = mails()
# What stays as it was entered or said by others: ids, units, commands, names of standards, words of servers.
_KEPT = re.compile(
    r"[A-Z]+\d*[-.][\w.]+|[A-Z]+\d+|mg/m|kg|dB|GB|pH|RTO|MQTT|UTC|mosquitto: ?max_queued_messages|mosquitto|"
    r"max_queued_messages|plantmon|permit|process rule|Keep alive timeout|database or disk is full|EXAMPLE\w+|"
    r"MB free, sealing [\d-]+\.parquet needs|archive|forward|status|check|verify|InfluxDB|"
    r"alarms|list|query|caps|due|faults|report(?:ed)?|calibration|execution|add|pass|result|ack|close|Li|Wang"
)


def shown(body: str) -> str:
    """Give what a page shows, without its tags, styles and commands."""
    body = re.sub(r"<style>.*?</style>|<title>.*?</title>|<!--.*?-->", "", body, flags=re.S)
    return re.sub(r"--\w+", "", html.unescape(re.sub(r"<[^>]+>", "\n", body)))


def test_every_kind_event_and_edition_is_there() -> None:
    """Each kind of alarm, each event and each edition of the digest has a mail, under a name and on a sheet."""
    assert {mail.facts["kind"] for mail in ALL if mail.event != "digest"} == {*KINDS, UNKNOWN}
    assert {mail.event for mail in ALL} == {*EVENTS, "digest"}
    assert {mail.facts["edition"] for mail in ALL if mail.event == "digest"} == set(EDITIONS)
    assert len({mail.name for mail in ALL}) == len(ALL)
    assert {mail.sheet for mail in ALL} == set(COLUMNS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("mail", ALL, ids=lambda mail: mail.name)
def test_each_is_composed(mail: Mail, language: str) -> None:
    """Each mail is whole in both languages, opens by itself, and is in the language that was asked for."""
    made = page(mail, language)
    assert made.subject.startswith("[plantmon] ")
    assert not re.search(r"https?:|cid:|\{\w+\}|None", made.body.partition("data:image")[0])
    if language == "zh" and mail.facts["kind"] not in (UNKNOWN, "digest"):
        foreign = re.findall(r"[A-Za-z]{3,}", _KEPT.sub("", shown(made.body)))
        assert foreign == []


def test_means_are_those_of_the_charts() -> None:
    """The mean a breach tells is that of the sixty minutes its chart draws."""
    breach = next(mail for mail in ALL if mail.name == "breach")
    times, values = minutes("DA002.nmhc", at("08:00"), at("09:00"))
    assert (len(times), breach.facts["limit"]) == (60, NMHC)
    assert (
        breach.facts["value"]
        == pytest.approx(sum(values) / 60)
        == pytest.approx(mean("DA002.nmhc", at("08:00"), at("09:00")))
    )
    assert breach.facts["value"] > breach.facts["bound"]
