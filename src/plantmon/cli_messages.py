"""This module is `plantmon messages`: what was said, to whom, and each step of its way; and `test-second-channel`."""

from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from enum import StrEnum
from typing import Annotated
from uuid import uuid4

import typer

from plantmon.cli_context import Context, Format, From, Style, To, fail, reading
from plantmon.daemon import clock_of
from plantmon.notify.letter import letter, words_of
from plantmon.notify.second import trial_notice
from plantmon.outward import channel_of
from plantmon.reports import messages as shown
from plantmon.reports.tabular import Cell, render
from plantmon.store import attempts, outbox
from plantmon.texts import text

messages_app = typer.Typer(help="Messages: what was sent to whom, and what became of each try.")
second_app = typer.Typer()

MESSAGE_ID = Annotated[int, typer.Argument(metavar="ID", min=1, max=2**63 - 1, help="The message's number.")]


class State(StrEnum):
    """What became of a delivery."""

    QUEUED = "queued"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    TOLD = "told"


Alarm = Annotated[int | None, typer.Option("--alarm", min=1, max=2**63 - 1, help="Only of this alarm.")]
Where = Annotated[State | None, typer.Option("--state", help="Only with a delivery in this state.")]
Most = Annotated[int, typer.Option(help="How many at most.")]


@messages_app.callback(invoke_without_command=True)
def messages_main(
    context: typer.Context,
    alarm: Alarm = None,
    state: Where = None,
    start: From = None,
    end: To = None,
    most: Most = 50,
    style: Style = Format.TABLE,
) -> None:
    """List messages when nothing else is asked."""
    if context.invoked_subcommand is None:
        messages_list(context, alarm, state, start, end, most, style)


@messages_app.command("list")
def messages_list(
    context: typer.Context,
    alarm: Alarm = None,
    state: Where = None,
    start: From = None,
    end: To = None,
    most: Most = 50,
    style: Style = Format.TABLE,
) -> None:
    """List messages, newest first, with a line for each address."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    start_ms, end_ms = (_moment(here, plant.time.parse, one) for one in (start, end))
    language = here.language if style is Format.TABLE else None
    rows: list[list[Cell]] = []
    with reading(here, settings) as connection:
        for message in outbox.listing(
            connection, alarm=alarm, state=state, start_ms=start_ms, end_ms=end_ms, most=most
        ):  # fmt: skip
            rows += shown.deliveries(connection, plant, message, language)
    if not rows and style is Format.TABLE:
        typer.echo(text("messages.none", here.language))
    else:
        typer.echo(render(shown.headings(shown.DELIVERY_COLUMNS, language), rows, style))


@messages_app.command("show")
def messages_show(context: typer.Context, number: MESSAGE_ID, style: Style = Format.TABLE) -> None:
    """Show a message whole: every try, and what its mail says; as CSV and JSON the tries alone."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    language = here.language if style is Format.TABLE else None
    with reading(here, settings) as connection:
        message = outbox.read(connection, number)
        if message is None:
            fail(text("messages.unknown", here.language, message=number))
        kept = outbox.mime(connection, number)
        tries = attempts.of_message(connection, number)
        became = shown.deliveries(connection, plant, message, language)
    way = render(shown.headings(shown.ATTEMPT_COLUMNS, language), shown.way(plant, tries, language), style)
    if style is not Format.TABLE:
        typer.echo(way)
        return

    def say(key: str, **values: object) -> str:
        return text(f"messages.{key}", here.language, **values)

    if kept is None:
        mail = letter(message, plant, settings.smtp.sender, message.created_ms)
    else:
        mail = message_from_bytes(kept, _class=EmailMessage, policy=policy.default)
    subject, words = words_of(mail)
    lines = [
        say("head", id=message.id, event=message.event, severity=message.severity,
            alarm=message.alarm if message.alarm is not None else "-", language=message.language),
        say("message_id", message_id=message.message_id),
        say("queued_at", time=plant.time.show(message.created_ms), not_before=plant.time.show(message.not_before_ms)),
        "", say("deliveries"), render(shown.headings(shown.DELIVERY_COLUMNS[7:], language),
                                      [row[7:] for row in became], style),
        "", *([say("way"), way] if tries else [say("no_way")]),
        "", say("text_again" if kept is None else "text"), "", subject, "", words.rstrip(),
    ]  # fmt: skip
    typer.echo("\n".join(lines))


@second_app.command("test-second-channel")
def test_second_channel(context: typer.Context) -> None:
    """Send a test over the second channel of the settings, and show what the service answers."""
    here: Context = context.obj
    settings = here.settings
    plant = here.plant(settings)
    channel = channel_of(settings)
    if channel is None or settings.second_channel is None:
        fail(text("second.none", here.language))
    key = f"test-{uuid4()}"
    notice = trial_notice(plant, settings.second_channel.language, key, clock_of(settings, plant).now())
    reply = channel.send(key, channel.compose(notice))
    typer.echo(
        text("second.tested", here.language, channel=channel.kind, server=channel.where, state=reply.state,
             answer=reply.answer)
    )  # fmt: skip
    if reply.state != outbox.ACCEPTED:
        raise typer.Exit(1)


def _moment(here: Context, parse: Callable[[str], int], given: str | None) -> int | None:
    if given is None:
        return None
    try:
        return parse(given)
    except (ValueError, OverflowError):
        fail(here.say("bad_moment", given=given))
