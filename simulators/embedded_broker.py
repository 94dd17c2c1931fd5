"""This module is the embedded MQTT broker of the demo: amqtt on a loopback port, MQTT 3.1.1 only, nothing kept.

`python -m simulators.embedded_broker 1883`; `simulators.brokers` starts it as a child process.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys

from amqtt.broker import Broker  # type: ignore[import-untyped]

_SHUTDOWN_LIMIT_S = 2.0  # a client that does not answer must not hold the end up


async def serve(port: int) -> None:
    """Run the broker until SIGTERM or SIGINT."""
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await broker.start()
    await ended.wait()
    try:
        await asyncio.wait_for(broker.shutdown(), _SHUTDOWN_LIMIT_S)
    except TimeoutError:
        return


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    asyncio.run(serve(int(sys.argv[1])))
