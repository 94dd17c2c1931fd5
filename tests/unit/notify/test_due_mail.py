"""This module proves what mails say of deadlines, leaks and caps: what, where and by when, in the subject already."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import pytest
from notify_plant import DATE, LIMITS, TIME, limit, plant

from plantmon.model.plant import Basis
from plantmon.notify import facts as facts_of
from plantmon.notify.compose import compose

NOW = TIME.parse("2020-03-02 17:00")


def composed(facts: dict[str, Any], language: str = "en", event: str = "raised") -> EmailMessage:
    """Compose the mail."""
    cap = limit("cap", "DA002", "DA002.nmhc", basis=Basis.MASS, window="1y", maximum=35.0, unit="t")
    return compose(
        facts_of.read({"alarm": 7, "since": NOW} | facts), plant(limits=(*LIMITS, cap)), language, None, event=event,
        severity="warning", created_ms=NOW, sender="p@example.com", addresses=["a@example.com"],
        message_id="<1@example.com>", date=DATE,
    )  # fmt: skip


def words(mail: EmailMessage) -> str:
    """Give the text part."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


FAULT = {"kind": "fault_report", "outlet": "DA002", "point": "DA002.nmhc", "by": TIME.parse("2020-03-02 20:00"),
         "began": TIME.parse("2020-03-02 08:00")}  # fmt: skip
REPAIR = {"kind": "fault_repair", "outlet": "DA002", "point": None, "by": TIME.parse("2020-03-10 00:00"),
          "detail": "DA002.nmhc, DA002.rto_temperature"}  # fmt: skip
CALIBRATION = {"kind": "calibration_due", "outlet": "DA002", "point": "DA002.nmhc",
               "by": TIME.parse("2020-03-03 07:00"), "last": TIME.parse("2020-02-25 07:00")}  # fmt: skip
REPORT = {"kind": "report_due", "period": "2020-Q1", "by": TIME.parse("2020-04-16")}
BALANCE = {"kind": "balance", "point": "E-MAIN", "value": 12.5, "bound": 8.0, "side": "max", "unit": "%",
           "start": TIME.parse("2020-03-01"), "end": TIME.parse("2020-03-02"),
           "detail": "E-MAIN 120 - (E-PAINT 105) = 15 kWh"}  # fmt: skip
NIGHT = {"kind": "night_minimum", "point": "E-MAIN", "value": 3.4, "bound": 3.0, "side": "max", "unit": "kWh/h",
         "start": TIME.parse("2020-03-02 00:00"), "end": TIME.parse("2020-03-02 05:00")}  # fmt: skip
PACE = {"kind": "cap_pace", "limit": "cap", "outlet": "DA002", "point": "DA002.nmhc", "window": "1y", "value": 14.2,
        "bound": 35.0, "side": "max", "unit": "t", "reached": "2020-11-03"}  # fmt: skip
PACE_EN = "NMHC mass emitted year 14.2 t (limit 35 t) reached on 2020-11-03"
STACK, STACK_ZH = "DA002 Coating line RTO stack", "DA002 涂装RTO排气筒"


@pytest.mark.parametrize(
    ("facts", "english", "chinese"),
    [
        (FAULT, f"Monitor fault to be reported: {STACK} NMHC by 2020-03-02 20:00",
         f"监测设备故障待报告: {STACK_ZH} 非甲烷总烃 截止 2020-03-02 20:00"),
        (FAULT | {"overdue": True}, f"Report of a monitor fault overdue: {STACK} NMHC was due 2020-03-02 20:00",
         f"监测设备故障报告逾期: {STACK_ZH} 非甲烷总烃 应于 2020-03-02 20:00 前完成"),
        (REPAIR, f"Monitor to be repaired: {STACK} by 2020-03-09 24:00",
         f"监测设备待修复: {STACK_ZH} 截止 2020-03-09 24:00"),
        (CALIBRATION, f"Calibration falls due: {STACK} NMHC by 2020-03-03 07:00",
         f"校准即将到期: {STACK_ZH} 非甲烷总烃 截止 2020-03-03 07:00"),
        (REPORT, "Execution report falls due: Chongqing truck plant 2020-Q1 by 2020-04-15 24:00",
         "执行报告即将到期: 重庆卡车工厂 2020-Q1 截止 2020-04-15 24:00"),
        (REPORT | {"overdue": True}, "Execution report overdue: Chongqing truck plant 2020-Q1 was due 2020-04-15 24:00",
         "执行报告逾期: 重庆卡车工厂 2020-Q1 应于 2020-04-15 24:00 前完成"),
        (BALANCE, "Meters do not add up: Chongqing truck plant E-MAIN electricity 12.5 % > 8 %",
         "总表与分表差额过大: 重庆卡车工厂 E-MAIN 电 12.5 % > 8 %"),
        (NIGHT, "Night use does not fall: Chongqing truck plant E-MAIN electricity 3.4 kWh/h > 3 kWh/h",
         "夜间用量偏高: 重庆卡车工厂 E-MAIN 电 3.4 kWh/h > 3 kWh/h"),
        (PACE, f"Pace points past the permitted quantity: {STACK} {PACE_EN}",
         f"按当前进度将超出许可排放量: {STACK_ZH} 非甲烷总烃排放量 年度 14.2 t （限值 35 t） 预计 2020-11-03 达到"),
    ],
)  # fmt: skip
def test_subjects(facts: dict[str, Any], english: str, chinese: str) -> None:
    """The subject alone says what is wrong, where, and by when something is to be done or will have happened."""
    assert composed(facts)["Subject"] == f"[plantmon] {english}"
    assert composed(facts, "zh")["Subject"].replace("(限值 35 t)", "（限值 35 t）") == f"[plantmon] {chinese}"


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (
            FAULT,
            [
                "Out of order since: 2020-03-02 08:00 (UTC+8)",
                "To be done by: 2020-03-02 20:00 (UTC+8)",
                "plantmon faults report POINT",
            ],
        ),
        (REPAIR, ["Points: DA002.nmhc, DA002.rto_temperature", "To be done by: 2020-03-09 24:00 (UTC+8)"]),
        (CALIBRATION, ["Last passed: 2020-02-25 07:00 (UTC+8)", "plantmon calibration add POINT"]),
        (REPORT, ["Report of: 2020-Q1", "plantmon reported PERIOD", "plantmon execution-report PERIOD"]),
        (BALANCE, ["Period: 2020-03-01 (UTC+8)", "Reckoning: E-MAIN 120 − (E-PAINT 105) = 15 kWh", "4.5 % above"]),
        (NIGHT, ["Night: 2020-03-02 00:00 – 05:00 (UTC+8)", "Allowed: at most 3 kWh/h"]),
        (PACE, ["limit 35 t, reached on 2020-11-03 at the pace of the last 30 days", "plantmon caps"]),
    ],
)
def test_what_the_mail_says(facts: dict[str, Any], said: list[str]) -> None:
    """The mail has the deadline with its zone, what is known, and the command that answers it."""
    shown = words(composed(facts))
    assert [one for one in said if one not in shown] == []


def test_the_end_names_no_deadline() -> None:
    """What was done has no deadline in its subject."""
    end = composed(FAULT | {"until": NOW, "since": NOW - 3_600_000}, event="cleared")
    assert end["Subject"] == f"[plantmon] Monitor fault to be reported (cleared): {STACK} NMHC lasted 1 h"
