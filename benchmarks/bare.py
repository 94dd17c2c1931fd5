"""This module is the yardstick of the ingest benchmark: a bare paho client that counts messages and stores nothing.

`python -m benchmarks.bare PORT COUNT`; prints `ready` once subscribed, and the monotonic time when it had them all.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

ACKNOWLEDGED_TOGETHER = 100


def count(port: int, most: int) -> float:
    """Count so many messages, acknowledged by hand a hundred at a time; give the monotonic time of the last."""
    finished = threading.Event()
    waiting: list[int] = []
    seen = 0

    def on_message(client: mqtt.Client, userdata: Any, message: mqtt.MQTTMessage) -> None:
        nonlocal seen
        seen += 1
        waiting.append(message.mid)
        if len(waiting) >= ACKNOWLEDGED_TOGETHER or seen >= most:
            for mid in waiting:
                client.ack(mid, 1)
            waiting.clear()
        if seen >= most:
            finished.set()

    client = mqtt.Client(CallbackAPIVersion.VERSION2, "bare", protocol=mqtt.MQTTv5, manual_ack=True)
    client.on_message = on_message
    client.on_connect = lambda client, *_: client.subscribe("plant/#", qos=1)
    client.on_subscribe = lambda *_: print("ready", flush=True)
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 3600
    properties.ReceiveMaximum = 1000
    client.connect("127.0.0.1", port, clean_start=False, properties=properties)
    client.loop_start()
    finished.wait()
    ended = time.monotonic()
    client.disconnect()
    client.loop_stop()
    return ended


if __name__ == "__main__":
    print(count(int(sys.argv[1]), int(sys.argv[2])), flush=True)
