"""This module proves what mails say, in which language, and that nothing from outside breaks their form."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notify_plant import DATE, HOUR, NOW, TIME, breach, cleared, late, limit, plant

from plantmon.model.plant import Basis, Name, Outlet, Running
from plantmon.notify import facts as facts_of
from plantmon.notify.compose import compose, compose_plain
from plantmon.notify.facts import EVENTS, KINDS
from plantmon.notify.wording import percent, span
from plantmon.texts import LANGUAGES, sentences
from plantmon.times import HOUR_MS

PNG = b"\x89PNG not really"
MESSAGE_ID = "<12345678-1234-1234-1234-123456789012@a-plant-with-a-long-name.mail.example-company.com.cn>"


def composed(facts: dict[str, Any], language: str = "en", **changes: Any) -> EmailMessage:
    """Compose facts, send them through bytes as a server would, and read them again."""
    given: dict[str, Any] = {
        "event": "raised",
        "severity": "breach",
        "created_ms": NOW,
        "sender": "plantmon <plantmon@example.com>",
        "addresses": ["ehs@example.com"],
        "message_id": MESSAGE_ID,
        "date": DATE,
        "plant": plant(),
        "png": None,
    } | changes
    shown, png = given.pop("plant"), given.pop("png")
    mail = compose(facts_of.read(facts, facts.get("alarm")), shown, language, png, **given)
    return message_from_bytes(mail.as_bytes(), _class=EmailMessage, policy=policy.default)


def part(mail: EmailMessage, kind: str) -> str:
    """Give the text or HTML part."""
    body = mail.get_body((kind,))
    assert body is not None
    return body.get_content()


def rows(mail: EmailMessage) -> dict[str, str]:
    """Give the lines `label: words` of the text part."""
    return dict(line.split(": ", 1) for line in part(mail, "plain").splitlines() if ": " in line)


@pytest.mark.parametrize(("kind", "event", "language"), list(product(KINDS, EVENTS, ("zh", "en", "both"))))
@pytest.mark.parametrize("severity", ["breach", "warning", "data"])
def test_every_kind_and_event_composes(kind: str, event: str, language: str, severity: str) -> None:
    """Each kind of alarm has a mail for each event and language, with every fact known or none but the kind."""
    full = breach(kind=kind, until=HOUR + HOUR_MS, acked_by="Li", detail="x") | {"breaches": late(2)["breaches"]}
    for facts in (full, {"kind": kind}):
        mail = composed(facts, language, event=event, severity=severity)
        assert mail["Subject"].startswith("[plantmon] ")
        has_chinese = re.search(r"[\u4e00-\u9fff]", part(mail, "plain")) is not None
        assert has_chinese or language == "en"
        assert "{" not in part(mail, "plain")
        assert "None" not in part(mail, "html")


def test_texts_have_both_languages_with_the_same_values() -> None:
    """Each sentence of a mail exists in both languages and takes the same values in both."""
    for key, sentence in sentences().items():
        if key.startswith("mail."):
            assert set(sentence) == set(LANGUAGES), key
            values = [set(re.findall(r"{(\w+)}", sentence[language])) for language in LANGUAGES]
            assert values[0] == values[1], key


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("en", "[plantmon] Breach: DA002 Coating line RTO stack NMHC 1h mean 78.4 mg/m3 > 60 mg/m3"),
        ("zh", "[plantmon] 超标: DA002 涂装RTO排气筒 非甲烷总烃 小时均值 78.4 mg/m3 > 60 mg/m3"),
        ("both", "[plantmon] 超标 Breach: DA002 Coating line RTO stack NMHC 1h mean 78.4 mg/m3 > 60 mg/m3"),
    ],
)
def test_subject_says_what_where_and_how_much(language: str, subject: str) -> None:
    """The subject alone tells outlet, pollutant, window, value and limit."""
    assert composed(breach(), language)["Subject"] == subject


def test_breach_says_all_the_issue_asks_for() -> None:
    """A breach mail has outlet, pollutant, value, limit, window, excess, beginning, standard and what to do."""
    mail = composed(breach())
    said = rows(mail)
    assert said["Outlet"] == "DA002 Coating line RTO stack"
    assert said["Pollutant"] == "NMHC"
    assert said["Value"] == "78.4 mg/m³"
    assert said["Limit"] == "at most 60 mg/m³"
    assert said["Window"] == "1-hour mean, 2020-03-01 08:00 – 09:00 (UTC+8)"
    assert said["Against limit"] == "18.4 mg/m³ above (31 %)"
    assert said["Since"] == "2020-03-01 08:00 (UTC+8)"
    assert said["Standard"] == "permit 2020"
    text = part(mail, "plain")
    assert 'plantmon alarms ack 12 --by NAME --note "TEXT"' in text
    assert "Tell the authority" in text
    assert "Keep the raw data" in text
    for words in ("78.4 mg/m³", "18.4 mg/m³ above (31 %)", "permit 2020", "plantmon alarms ack 12"):
        assert words in part(mail, "html")


def test_cleared_says_duration_peak_and_mean() -> None:
    """The mail of a breach that is over has its duration, peak and mean, and asks for no acknowledgement."""
    mail = composed(cleared(), event="cleared")
    said = rows(mail)
    assert (said["Lasted"], said["Peak"], said["Mean"], said["Windows"]) == ("3 h", "91.3 mg/m³", "74.8 mg/m³", "3")
    assert "Value" not in said
    assert "alarms ack" not in part(mail, "plain")
    assert "lasted 3 h, peak 91.3 mg/m3" in mail["Subject"]


def test_lower_limit_and_lower_bound() -> None:
    """A value under a minimum is `below`, without a percentage of a temperature; an over-range value is `at least`."""
    rto = breach(point="DA002.rto_temperature", limit="rto", window="reading", value=741.27, bound=760.0, side="min")
    mail = composed(rto | {"unit": "degC"})
    assert "reading 741 degC < 760 degC" in mail["Subject"]
    assert rows(mail)["Against limit"] == "18.7 °C below"
    assert rows(mail)["Limit"] == "at least 760 °C"
    assert rows(composed(breach(value=1000.0, at_least=True)))["Value"] == "at least 1000 mg/m³"


@pytest.mark.parametrize(
    ("language", "subject", "against", "condition"),
    [
        ("en", "RTO chamber temperature interlock reading 702 degC < 760 degC", "limit 760 °C, 58 °C below, while",
         "while DA002.nmhc NMHC is at least 5 mg/m³ and at most 500 mg/m³"),
        ("zh", "RTO炉膛温度联锁 读数 702 degC < 760 degC", "限值 760 °C，低于限值 58 °C，当",
         "当 DA002.nmhc 非甲烷总烃 不低于 5 mg/m³且不高于 500 mg/m³ 时"),
    ],
)  # fmt: skip
def test_interlock(language: str, subject: str, against: str, condition: str) -> None:
    """An interlock's mail says what must hold, by how much it does not, and while what runs."""
    rto = limit(
        "lock", "DA002", "DA002.rto_temperature", basis=Basis.INTERLOCK, window="reading", minimum=760.0, maximum=None,
        unit="degC", running=Running("DA002.nmhc", 5.0, 500.0),
    )  # fmt: skip
    facts = breach(point="DA002.rto_temperature", limit="lock", window="reading", value=702.0, bound=760.0, side="min")
    mail = composed(facts | {"unit": "degC"}, language, plant=plant(limits=(rto,)))
    assert subject in mail["Subject"]
    assert condition in rows(mail).values()
    assert f"{against} {condition.partition(' ')[2]}" in part(mail, "plain")


def test_barely_over_is_not_shown_as_equal() -> None:
    """A value a hair over its limit keeps the digits that show it."""
    assert "60.004 mg/m3 > 60 mg/m3" in composed(breach(value=60.004))["Subject"]


def test_warning_tells_the_share_of_the_limit() -> None:
    """A warning, whose value is within the limit, gives the share and claims no excess."""
    mail = composed(breach(kind="warning", value=56.2), severity="warning")
    assert "(limit 60 mg/m3)" in mail["Subject"]
    assert rows(mail)["Against limit"] == "94 % of the limit"


def test_what_left_the_plant_file_keeps_its_id() -> None:
    """An alarm about a point, outlet and limit that are gone since is told by their ids."""
    mail = composed(breach(), plant=plant(points={}, outlets={}, limits=()))
    assert "DA002 DA002.nmhc 1h mean 78.4" in mail["Subject"]


def test_late_breaches_are_one_table() -> None:
    """The summary of old breaches lists each, and beyond a hundred says how many more the register has."""
    mail = composed(late(103), event="corrected")
    assert part(mail, "plain").count("\n- DA002 Coating line RTO stack NMHC | 1h mean 2020-") == 100
    assert "3 more stand in the exceedance register" in part(mail, "html")
    assert "added 103, withdrawn 0" in mail["Subject"]


def test_what_was_taken_back_says_why() -> None:
    """A corrected mail counts both in its subject, and says of each line what its window is now."""
    found, gone, unjudged = late(3)["breaches"]
    gone |= {"why": "complies", "now_value": 48.26}
    unjudged |= {"why": "not_judged", "now_reason": "minutes"}
    for language, words in (
        ("en", ("added 1, withdrawn 2", "complies with 48.3 mg/m³", "not judged")),
        ("zh", ("新增 1 条，撤销 2 条", "现为 48.3 mg/m³", "不予评价")),
    ):
        mail = composed(late(0) | {"breaches": [found, gone, unjudged]}, language, event="corrected")
        assert words[0] in mail["Subject"]
        assert all(word in part(mail, "plain") and word in part(mail, "html") for word in words)


def test_a_storm_is_a_table_of_its_alarms() -> None:
    """The mail of a storm has a line an alarm, at most a hundred, and says how many breaches there are."""
    one = {"kind": "breach", "severity": "breach", "outlet": "DA002", "point": "DA002.nmhc", "limit": "nmhc-1h",
           "value": 78.4, "bound": 60.0, "unit": "mg/m3", "side": "max", "since": HOUR}  # fmt: skip
    other = {"kind": "silent", "severity": "data", "point": "DA002.<b>", "since": HOUR, "until": HOUR + HOUR_MS}
    lines = [one | {"alarm": number} for number in range(1, 3)] + [
        other | {"alarm": 3 + number} for number in range(99)
    ]
    mail = composed({"kind": "storm", "about": "raised", "since": HOUR, "lines": lines}, event="storm")
    assert "101 alarms, 2 of them breaches" in mail["Subject"]
    assert mail["Importance"] == "high"
    plain = part(mail, "plain")
    assert "- 1 | Breach | DA002 Coating line RTO stack NMHC | 78.4 mg/m³, at most 60 mg/m³ | 2020-03-01 08:00" in plain
    assert "- 3 | No data | DA002.<b> | – | 2020-03-01 08:00 – 09:00" in plain
    assert plain.count("| No data |") == 98
    assert "1 more: plantmon alarms list" in plain
    assert "&lt;b&gt;" in part(mail, "html")
    assert "<th" not in part(mail, "html").partition("What to do next")[0].partition("listed here")[2]  # no columns
    ended = composed({"kind": "storm", "about": "cleared", "since": HOUR, "lines": lines}, event="storm")
    assert (ended["Importance"], "Alarm storm: cleared" in ended["Subject"]) == (None, True)


def test_lists_have_one_column_in_html() -> None:
    """Each entry of a list is a line with its value beside it and what else is known under it, in the mail's words."""
    found, unjudged = late(2)["breaches"]
    unjudged |= {"why": "not_judged", "now_reason": "minutes"}
    html = part(composed(late(0) | {"breaches": [found, unjudged]}, event="corrected"), "html")
    lines = [line.strip() for line in re.sub(r"<[^>]+>", "\n", html).splitlines() if line.strip()]
    place = lines.index("DA002 Coating line RTO stack NMHC")
    assert lines[place : place + 5] == [
        "DA002 Coating line RTO stack NMHC", "61 mg/m³", "limit 60 mg/m³", "1-hour mean, 2020-02-28 06:00 – 07:00",
        "added: found in late or corrected data",
    ]  # fmt: skip
    assert "withdrawn: not judged (too few valid minutes)" in lines


def test_range_end_is_no_limit() -> None:
    """A mail about a value beyond its instrument's range calls the range by its name, and claims no limit."""
    facts = {"kind": "over_range", "alarm": 5, "outlet": "DA002", "point": "DA002.nmhc", "window": "reading",
             "value": 1000.0, "bound": 1000.0, "side": "max", "unit": "mg/m3", "at_least": True, "start": HOUR,
             "since": HOUR}  # fmt: skip
    mail = composed(facts, severity="warning")
    assert mail["Subject"].endswith("reading at least 1000 mg/m3 (range up to 1000 mg/m3)")
    assert rows(mail)["Measuring range"] == "1000 mg/m³"
    assert "measuring range up to 1000 mg/m³" in part(mail, "plain")
    for word in ("Limit", "Against limit", "Window"):
        assert word not in rows(mail)


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.996, "99.6"), (0.99996, "99.996"), (1.0, "100"), (1.0004, "100.04"), (1.31, "131"), (0.05, "5")],
)
def test_hardly_all_is_not_all(share: float, shown: str) -> None:
    """A share a little under or over all of it keeps the digits that show it."""
    assert percent(share) == shown


@pytest.mark.parametrize(
    ("start", "end", "shown"),
    [("2026-01-01", "2027-01-01", "2026-01-01 – 2026-12-31"), ("2026-02-01", "2026-03-01", "2026-02-01 – 2026-02-28"),
     ("2026-02-01", "2026-02-02", "2026-02-01"), ("2026-02-01 22:00", "2026-02-02 06:00",
      "2026-02-01 22:00 – 2026-02-02 06:00"), ("2026-02-01 08:00", "2026-02-01 09:00", "2026-02-01 08:00 – 09:00")],
)  # fmt: skip
def test_whole_days_are_dates(start: str, end: str, shown: str) -> None:
    """A year or month is told by its first and last day, not by midnights."""
    assert span(TIME, TIME.parse(start), TIME.parse(end)) == f"{shown} (UTC+8)"


def test_commands_are_in_the_readers_language() -> None:
    """What is to be filled in is named in the mail's language; the command itself is the same."""
    assert 'plantmon alarms ack 12 --by 姓名 --note "说明"' in part(composed(breach(), "zh"), "plain")
    closing = part(composed(cleared(), "zh", event="cleared"), "plain")
    assert 'plantmon alarms close 12 --cause "原因" --action "措施" --by 姓名' in closing


@pytest.mark.parametrize(
    ("event", "facts", "command"),
    [
        ("again", breach(), "plantmon alarms ack 12"),
        ("unshelved", breach(), "plantmon alarms ack 12"),
        ("unacknowledged", cleared(), "plantmon alarms ack 12"),
        ("cleared", cleared(), "plantmon alarms close 12"),
        ("forgotten", breach(acked_by="Li"), None),
    ],
)
def test_mail_names_the_command_that_answers_it(event: str, facts: dict[str, object], command: str | None) -> None:
    """What waits for somebody says how it is acknowledged, a breach that is over how it is closed."""
    plain = part(composed(facts, event=event), "plain")
    assert ("plantmon alarms" in plain) == (command is not None)
    assert command is None or command in plain


def test_chart_stands_inside_the_html() -> None:
    """The picture is related to the HTML that shows it by content id, and the mail without one shows none."""
    mail = composed(breach(), "both", png=PNG)
    kinds = [one.get_content_type() for one in mail.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"]
    picture = next(one for one in mail.walk() if one.get_content_type() == "image/png")
    assert picture.get_payload(decode=True) == PNG
    assert part(mail, "html").count(f"cid:{picture['Content-ID'].strip('<>')}") == 1
    assert "<img" not in part(composed(breach()), "html")


def test_html_loads_nothing() -> None:
    """The HTML names no address outside the mail, no script and no form."""
    html = part(composed(breach(), "both", png=PNG), "html")
    assert not re.search(r"https?:|//|<script|<link|<form|url\(", html)


def test_both_languages_stand_one_after_the_other() -> None:
    """A mail in both languages says everything in Chinese and then in English."""
    text = part(composed(breach(), "both"), "plain")
    assert text.index("执行标准: permit 2020") < text.index("Standard: permit 2020")


def test_headers_of_a_machine_and_a_conversation() -> None:
    """The mail says that a machine sent it, and refers to the alarm's first with ids as they are, however long."""
    mail = compose(
        facts_of.read(breach()),
        plant(),
        "en",
        None,
        event="cleared",
        severity="breach",
        created_ms=NOW,
        sender="plantmon@example.com",
        addresses=["a@example.com", "b@example.com"],
        message_id=MESSAGE_ID,
        date=datetime(2020, 3, 1, tzinfo=UTC),
        thread=MESSAGE_ID.replace("1234", "4321"),
    )
    raw = mail.as_bytes().decode("ascii").split("\r\n\r\n")[0]
    assert f"\r\nMessage-ID: {MESSAGE_ID}\r\n" in raw
    for name in ("In-Reply-To", "References"):
        assert f"\r\n{name}: {MESSAGE_ID.replace('1234', '4321')}\r\n" in raw
    assert "\r\nAuto-Submitted: auto-generated\r\n" in raw
    assert "\r\nTo: a@example.com, b@example.com\r\n" in raw
    assert "In-Reply-To" not in composed(breach())


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_from_outside_makes_a_header(name: str, detail: str) -> None:
    """Whatever a name or a detail holds, the headers are those of any other mail, and the mail is bytes of ASCII."""
    evil = Outlet("DA002", Name(f"x{name}\r\nBcc: spy@example.com", name), "air", (), None, None, None)
    facts = breach(detail=f"{detail}\r\n\r\n<script>", standard=f"{name}\nX: y")
    mail = composed(facts, "both", plant=plant(outlets={"DA002": evil}))
    assert set(mail.keys()) == set(composed(breach()).keys())
    assert "Bcc" not in mail
    assert "<script>" not in part(mail, "html")


def test_no_address_makes_a_header() -> None:
    """A line end inside an address or a sender stays inside its header."""
    mail = composed(breach(), addresses=["a@example.com\r\nBcc: spy@example.com"], sender="p@example.com\nX-Evil: 1")
    assert "Bcc" not in mail
    assert "X-Evil" not in mail


def test_names_are_escaped_in_html() -> None:
    """A name with markup is shown as text."""
    outlet = Outlet("DA002", Name("<b>bold</b> & co", "x"), "air", (), None, None, None)
    html = part(composed(breach(), plant=plant(outlets={"DA002": outlet})), "html")
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; co" in html


def test_unknown_kind_and_wrong_type_are_refused() -> None:
    """Facts that no mail is known for, or of the wrong type, raise ValueError, which the stage answers."""
    with pytest.raises(ValueError, match="volcano"):
        composed(breach(kind="volcano"))
    with pytest.raises(ValueError, match="float"):
        composed(breach(value="much"))


def test_plain_mail_takes_anything() -> None:
    """The fallback mail shows facts that nothing else can be made of."""
    mail = compose_plain(
        {"kind": "volcano\r\nBcc: x", "odd": {"deep": [1, "二", "\ud800"]}},
        event="raised",
        severity="breach",
        sender="p@example.com",
        addresses=["a@example.com"],
        message_id=MESSAGE_ID,
        date=DATE,
    )
    read = message_from_bytes(mail.as_bytes(), _class=EmailMessage, policy=policy.default)
    assert '"二"' in part(read, "plain")
    assert "Bcc" not in read
    assert read["Message-ID"] == MESSAGE_ID


def test_times_are_plant_time() -> None:
    """A mail written at 01:00:05 UTC shows the plant's 09:00:05."""
    assert TIME.show(NOW) == "2020-03-01 09:00:05"
    assert "at 2020-03-01 09:00:05;" in part(composed(breach()), "plain")


@pytest.mark.parametrize(
    ("language", "title", "said", "own"),
    [
        ("en", "Device reports another mean", "Reported by the device", "Computed from readings"),
        ("zh", "上报均值与自算不符", "设备上报", "按实时数据计算"),
    ],
)
def test_reported_mean_and_ours(language: str, title: str, said: str, own: str) -> None:
    """A mail about a device's own mean shows both, and of which hour."""
    facts = {
        "kind": "reported_differs", "outlet": "DA002", "point": "DA002.nmhc", "window": "1h", "start": HOUR,
        "end": HOUR + HOUR_MS, "unit": "mg/m3", "reported": 61.25, "own": 48.5, "since": HOUR,
    }  # fmt: skip
    mail = composed(facts, language, severity="data")
    text = part(mail, "plain")
    assert title in str(mail["Subject"])
    for label, figure in ((said, "61.2 mg/m³"), (own, "48.5 mg/m³")):
        assert any(label in line and figure in line for line in text.splitlines()), text
    assert "plantmon query" in text
