"""This module holds the MQTT session: persistent, QoS 1, acknowledged by hand and only for its own connection.

paho's network thread decodes the protocol and puts messages into the `Inflow`; the writer calls `acknowledge` once
they are on disk. An acknowledgement carries the number of the connection it belongs to: after a lost session the
broker counts from 1 again, and an old number would acknowledge somebody else's message.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from plantmon.feed.check import Message
from plantmon.feed.client import Client, Publish
from plantmon.feed.inflow import Inflow
from plantmon.feed.topics import Routes
from plantmon.plant.topics import subscription

log = structlog.get_logger()

DROPPED_TOPIC = "$SYS/broker/publish/messages/dropped"  # mosquitto counts here, exactly, what it threw away
RECONNECT_S = (1, 30)
# A broker of old may wait for ever for the rest of a version 5 hello whose properties it took for something else.
ANSWER_S = 5.0
REFUSED_VERSION = frozenset({"Unsupported protocol version"})


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and how to speak to it; `session_expiry_s` is at least 1."""

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: str | None = None
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    uses_tls: bool = False
    protocol: str = "auto"  # 5, 3.1.1 or auto: 5 first
    keepalive_s: int = 30
    session_expiry_s: int = 30 * 86_400
    receive_maximum: int = 1000
    status_topic: str | None = None  # where we say how we are, retained
    offline: bytes = b""  # what stands there when we are gone, our Last Will


@dataclass(slots=True)
class Link:
    """What is known of the connection, for alarms and health; instants are real seconds on the monotonic clock."""

    is_connected: bool = False
    changed_s: float = 0.0
    reason: str = "not yet connected"
    protocol: str = ""
    dropped: int | None = None  # as the broker counts
    stalled_s: float | None = None  # since when the queue has no room


class Session:
    """One MQTT client with a fixed id. `plant_now` gives the arrival time of messages."""

    def __init__(
        self, broker: Broker, routes: Routes, inflow: Inflow, plant_now: Callable[[], int], stale: Iterable[str] = ()
    ) -> None:
        self._broker = broker
        self._routes = routes
        self._inflow = inflow
        self._plant_now = plant_now
        # Twice is once in the store, so QoS 2 would add nothing; and what is acknowledged as QoS 1 must be of QoS 1.
        self.filters = [(subscription(feed.topic), min(feed.qos, 1)) for feed in routes.feeds]
        self._stale = [topic for topic in stale if topic not in {name for name, _ in self.filters}]
        self._lock = threading.Lock()
        self._generation = 0
        self._taking = True
        self._started = False
        self.link = Link(changed_s=time.monotonic())
        self._version = mqtt.MQTTv311 if broker.protocol == "3.1.1" else mqtt.MQTTv5
        self._refusals = 0
        self._session_present = False
        self._is_greeted = False  # whether the broker has answered this connection's hello
        self._subscribing: dict[int, str] = {}  # subscriptions the broker has not answered yet, by packet id
        self._answer = threading.Timer(ANSWER_S, lambda: None)
        self._client = self._build()

    def start(self) -> None:
        """Begin to connect, and to connect again whenever the broker was away."""
        self._started = True
        self._connect()

    def stop_taking(self) -> None:
        """Take no more messages; what comes now is left to the broker."""
        self._taking = False

    def publish_status(self, payload: bytes) -> bool:
        """Publish how we are, retained, in place of the Last Will; say whether it left.

        With QoS 0: a status that waits for an absent broker would be an old one.
        """
        topic = self._broker.status_topic
        if topic is None or not self.link.is_connected:
            return False
        return self._client.publish(topic, payload, qos=0, retain=True).rc == mqtt.MQTT_ERR_SUCCESS

    def hears(self, topic: str) -> bool:
        """Whether we subscribe to what holds a topic."""
        return any(mqtt.topic_matches_sub(own, topic) for own, _ in self.filters)

    def stop(self) -> None:
        """Leave the broker; the session and what is unacknowledged stay there."""
        self._started = False
        self._answer.cancel()
        self.publish_status(self._broker.offline)  # who leaves in good order leaves no will
        self._client.disconnect()
        self._client.loop_stop()

    def is_alive(self) -> bool:
        """Whether the network thread lives; paho's own `is_connected` still says yes when it died."""
        names = {thread.name for thread in threading.enumerate() if thread.is_alive()}
        return any(name.startswith(f"paho-mqtt-client-{self._broker.client_id}") for name in names)

    def revive(self) -> None:
        """Begin anew with a network thread that ended, whatever ended it; the broker has kept the session."""
        if self._started:
            log.error("network_thread_ended")
            self._set_link(False, "the network thread ended")
            self._rebuild()

    def acknowledge(self, tokens: Sequence[tuple[int, int]]) -> None:
        """Acknowledge messages in order of receipt; those of an older connection are left to be sent again."""
        with self._lock:
            generation, client = self._generation, self._client
            client.acknowledge([mid for number, mid in tokens if number == generation])

    def _build(self) -> Client:
        broker = self._broker
        version = self._version
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=broker.client_id,
            protocol=version,
            manual_ack=True,
            **({} if version == mqtt.MQTTv5 else {"clean_session": False}),  # type: ignore[arg-type]
        )
        if broker.username:
            client.username_pw_set(broker.username, broker.password)
        if broker.uses_tls:
            ca, cert, key = (str(path) if path else None for path in (broker.ca, broker.cert, broker.key))
            client.tls_set(ca_certs=ca, certfile=cert, keyfile=key)
        if broker.status_topic is not None:
            client.will_set(broker.status_topic, broker.offline, qos=1, retain=True)
        client.reconnect_delay_set(*RECONNECT_S)
        client.on_pre_connect = self._on_pre_connect
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_connect_fail = self._on_connect_fail
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_plain = self._on_plain
        return client

    def _connect(self) -> None:
        broker = self._broker
        if self._version == mqtt.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = broker.session_expiry_s
            properties.ReceiveMaximum = broker.receive_maximum
            self._client.connect_async(
                broker.host, broker.port, broker.keepalive_s, clean_start=False, properties=properties
            )
        else:
            self._client.connect_async(broker.host, broker.port, broker.keepalive_s)
        self._client.loop_start()

    def _on_pre_connect(self, client: mqtt.Client, userdata: Any) -> None:
        with self._lock:  # before the connection opens: no late ack may slip into the new one
            self._generation += 1
        self._is_greeted = False
        if self._version == mqtt.MQTTv5 and self._broker.protocol == "auto":
            self._wait_for_answer()

    def _wait_for_answer(self) -> None:
        """Break a connection whose hello stays unanswered; `_on_disconnect` counts it as a refusal."""
        client = self._client

        def give_up() -> None:
            with suppress(OSError):
                client.leave_for_now()

        self._answer.cancel()
        self._answer = threading.Timer(ANSWER_S, give_up)
        self._answer.daemon = True
        self._answer.start()

    def _on_connect(
        self, client: mqtt.Client, userdata: Any, flags: mqtt.ConnectFlags, reason: ReasonCode, properties: Any
    ) -> None:
        self._answer.cancel()
        if reason.is_failure:
            self._set_link(False, str(reason))
            log.warning("broker_refused", reason=str(reason))
            if str(reason) in REFUSED_VERSION:
                self._fall_back()
            return
        self._refusals = 0
        self._is_greeted = True
        try:
            self._subscribe(client)
        except Exception:
            log.exception("subscribe_failed")
            client.disconnect()
            return
        self.link.protocol = "5" if self._version == mqtt.MQTTv5 else "3.1.1"
        self._session_present = flags.session_present
        if not self._subscribing:
            self._note_connected()

    def _subscribe(self, client: mqtt.Client) -> None:
        self._subscribing.clear()
        for topic in self._stale:  # a persistent session remembers topics that left the plant file
            client.unsubscribe(topic)
        client.subscribe(DROPPED_TOPIC, 0)
        for number, (topic, qos) in enumerate(self.filters):
            if self._version == mqtt.MQTTv5:
                properties = Properties(PacketTypes.SUBSCRIBE)  # type: ignore[no-untyped-call]
                properties.SubscriptionIdentifier = number + 1
                _, mid = client.subscribe(topic, options=SubscribeOptions(qos=qos), properties=properties)
            else:
                _, mid = client.subscribe(topic, qos)
            if mid is not None:
                self._subscribing[mid] = topic

    def _on_subscribe(
        self, client: mqtt.Client, userdata: Any, mid: int, reasons: list[ReasonCode], properties: Any
    ) -> None:
        """Count us as connected once the broker has taken every subscription: before, it keeps nothing for us."""
        topic = self._subscribing.pop(mid, None)
        if topic is None:
            return
        if any(reason.is_failure for reason in reasons):
            log.error("subscription_refused", topic=topic, reasons=[str(reason) for reason in reasons])
        if not self._subscribing and client is self._client:
            self._note_connected()

    def _note_connected(self) -> None:
        self._set_link(True, "connected")
        log.info("broker_connected", session_present=self._session_present, protocol=self.link.protocol)

    def _on_disconnect(
        self, client: mqtt.Client, userdata: Any, flags: mqtt.DisconnectFlags, reason: ReasonCode, properties: Any
    ) -> None:
        if client is not self._client:
            return
        self._answer.cancel()
        self._set_link(False, str(reason))
        if self._started:
            log.warning("broker_lost", reason=str(reason))
        if str(reason) in REFUSED_VERSION:
            self._fall_back()
        elif not self._is_greeted:
            # A broker that speaks only 3.1.1 may just close the connection on a version 5 hello.
            self._refusals += 1
            if self._refusals >= 2:
                self._fall_back()

    def _on_connect_fail(self, client: mqtt.Client, userdata: Any) -> None:
        self._answer.cancel()
        self._set_link(False, "cannot reach the broker")

    def _fall_back(self) -> None:
        """Speak 3.1.1 to a broker that has nothing newer; the client is built anew outside its own thread."""
        if self._broker.protocol != "auto" or self._version == mqtt.MQTTv311 or not self._started:
            return
        self._version = mqtt.MQTTv311
        log.info("broker_speaks_older_mqtt", protocol="3.1.1")
        threading.Thread(target=self._rebuild, name="mqtt-rebuild", daemon=True).start()

    def _rebuild(self) -> None:
        old = self._client
        old.disconnect()
        old.loop_stop()
        with self._lock:
            self._generation += 1
            self._client = self._build()
        if self._started:
            self._connect()

    def _set_link(self, is_connected: bool, reason: str) -> None:
        if self.link.is_connected != is_connected:
            self.link.changed_s = time.monotonic()
        self.link.is_connected = is_connected
        self.link.reason = reason

    def _on_message(self, client: mqtt.Client, userdata: Any, message: mqtt.MQTTMessage) -> None:
        """Take what the client left to paho."""
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "(not utf-8)"
        properties = message.properties
        identifiers = getattr(properties, "SubscriptionIdentifier", None) if properties else None
        subscription = identifiers[0] if identifiers else 0
        self._on_plain(
            client,
            Publish(topic, bytes(message.payload), message.qos, message.retain, message.dup, message.mid, subscription),
        )

    def _on_plain(self, client: mqtt.Client, publish: Publish) -> None:
        try:
            self._take(client, publish)
        except Exception:  # an exception here would end paho's network thread without a word
            log.exception("message_not_taken")

    def _take(self, client: mqtt.Client, publish: Publish) -> None:
        topic, payload, qos, retain, dup, number, subscription = publish
        if topic == DROPPED_TOPIC:
            self._count_dropped(payload)
            return
        if not self._taking or client is not self._client:
            return
        token = (self._generation, number) if qos else None
        message = Message(topic, payload, self._plant_now(), retain, dup, subscription, token)
        if self._inflow.put(message, self._broker.keepalive_s / 2):
            self.link.stalled_s = None
            return
        # No ping goes out while we wait here, so leave on purpose before the broker cuts us off; it keeps
        # everything unacknowledged, and paho connects again with back-off.
        self.link.stalled_s = self.link.stalled_s or time.monotonic()
        log.warning("queue_full_leaving_broker", waiting=len(self._inflow))
        with suppress(OSError):
            self._client.leave_for_now()

    def _count_dropped(self, payload: bytes) -> None:
        with suppress(ValueError):
            self.link.dropped = int(payload)
