"""This module tells systemd how the service is (sd_notify); outside systemd it says nothing.

The protocol is one datagram a message on the socket that $NOTIFY_SOCKET names (sd_notify(3)).
"""

from __future__ import annotations

import os
import socket


def notify(**state: str) -> bool:
    """Send states such as READY="1", STATUS="...", WATCHDOG="1"; say whether somebody listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    name = "\0" + address[1:] if address.startswith("@") else address
    message = "\n".join(f"{key}={value}" for key, value in state.items())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        try:
            sock.sendto(message.encode(), name)
        except OSError:
            return False
    return True
