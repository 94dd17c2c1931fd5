"""This module makes of the settings what speaks to others beside the mail: second channel, heartbeat and InfluxDB.

Each runs in a thread of its own, so that a server that hangs holds up nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from plantmon.esg.sent import SentAgain
from plantmon.forward.reader import InfluxReader
from plantmon.forward.sender import InfluxWriter
from plantmon.forward.stage import Forwarder
from plantmon.model.plant import Plant
from plantmon.notify.channel import Channel, Webhook
from plantmon.notify.heartbeat import Heartbeat
from plantmon.notify.second import SecondChannel
from plantmon.notify.services import Services
from plantmon.notify.web_call import Endpoint, header_pairs
from plantmon.settings import Influx, Settings, lines_of
from plantmon.store.database import Store


class Loop:
    """A thread that takes a step, waits as long as that says, and so on until the event is set.

    `end_s` is how long the step under way is waited for then.
    """

    def __init__(self, name: str, step: Callable[[], float], ending: threading.Event, end_s: float) -> None:
        self._step = step
        self._end_s = end_s
        self._ending = ending
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the step under way."""
        if self._thread.is_alive():
            self._thread.join(self._end_s)

    def _run(self) -> None:
        while not self._ending.is_set():
            self._ending.wait(self._step())


def channel_of(settings: Settings) -> Channel | None:
    """Make the second channel the settings name. Raises SettingsError where it needs what is not installed."""
    section = settings.second_channel
    if section is None:
        return None
    if section.kind == "apprise":
        return Services(lines_of(section.urls))
    assert section.url is not None
    endpoint = Endpoint(section.url.get_secret_value(), header_pairs(lines_of(section.headers)), section.timeout_s)
    return Webhook(endpoint, section.template, section.expect)


def second_channel_of(settings: Settings, plant: Plant, store: Store, rate: float) -> SecondChannel | None:
    """Make the stage that uses the second channel; None where the settings name none."""
    section, channel = settings.second_channel, channel_of(settings)
    if section is None or channel is None:
        return None
    return SecondChannel(store, plant, channel, section.after, section.language, rate=rate)


def heartbeat_of(settings: Settings, plant: Plant, publish: Callable[[bytes], bool]) -> Heartbeat | None:
    """Make the heartbeat the settings ask for; None where they ask for none."""
    section = settings.heartbeat
    if section is None:
        return None
    endpoint = None
    if section.url is not None:
        endpoint = Endpoint(section.url.get_secret_value(), timeout_s=section.timeout_s)
    return Heartbeat(
        plant.id, section.every.total_seconds(), endpoint, section.method, publish if section.mqtt_topic else None
    )


def influx_writer_of(section: Influx) -> InfluxWriter:
    """Make the writing side of the InfluxDB the settings name."""
    token = section.token.get_secret_value() if section.token else None
    return InfluxWriter(section.url, section.org, section.bucket, token, section.timeout_s, section.ca)


def influx_reader_of(section: Influx) -> InfluxReader:
    """Make its reading side."""
    token = section.token.get_secret_value() if section.token else None
    return InfluxReader(section.url, section.org, section.bucket, token, section.timeout_s, section.ca)


def forwarder_of(settings: Settings, plant: Plant, store: Store) -> Forwarder | None:
    """Make the stage that sends to the InfluxDB; None where the settings name none."""
    section = settings.influx
    if section is None:
        return None
    return Forwarder(store, plant, influx_writer_of(section), SentAgain(plant.time), section.hold_s)
