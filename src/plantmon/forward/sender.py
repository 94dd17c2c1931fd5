"""This module writes to an InfluxDB with influxdb-client, one request at a time, and says what came of it.

The lines are deflated here at a low level: the client's own way takes five times as long and saves a third more.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from plantmon.forward.reply import Fate, Reply, reply_of

_LEVEL = 1
_LONGEST_WAIT_S = 300.0


class InfluxWriter:
    """The writing side of one bucket."""

    def __init__(
        self, url: str, org: str, bucket: str, token: str | None, timeout_s: float = 10.0, ca: Path | None = None
    ) -> None:
        # Here and not above: the client takes 40 MB, which only those who use an InfluxDB should pay.
        import urllib3
        from influxdb_client.client.influxdb_client import InfluxDBClient
        from influxdb_client.rest import ApiException
        from influxdb_client.service.write_service import WriteService

        self._org, self._bucket, self._url = org, bucket, url
        self._timeout_s = timeout_s
        self._answered: type[Exception] = ApiException
        self._broken: tuple[type[Exception], ...] = (urllib3.exceptions.HTTPError, OSError)
        # urllib3 counts a refused connection among those that took too long.
        self._refused: type[Exception] = urllib3.exceptions.NewConnectionError
        self._late: tuple[type[Exception], ...] = (urllib3.exceptions.TimeoutError, TimeoutError)
        self._unconnected: tuple[type[Exception], ...] = (
            urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError,
        )  # fmt: skip
        self._client: Any = InfluxDBClient(
            url=url, org=org, token=token or "-", timeout=int(timeout_s * 1000),
            ssl_ca_cert=None if ca is None else str(ca),
        )  # fmt: skip
        service: Any = WriteService
        self._write = service(self._client.api_client).post_write
        self._connects = 0
        self._count_connects(self._client.api_client.rest_client.pool_manager.connection_from_url(url))

    def send(self, lines: Sequence[str], precision: str) -> Reply:
        """Write lines, their times in `precision` (ms or ns); wait for the answer."""
        connects = self._connects
        body = gzip.compress("\n".join(lines).encode(), _LEVEL)
        try:
            self._write(
                self._org, self._bucket, body, precision=precision, content_encoding="gzip",
                content_type="text/plain; charset=utf-8",
            )  # fmt: skip
        except self._answered as error:
            return self._judge(error)
        except self._broken as error:
            is_late = isinstance(error, self._late) and not isinstance(error, self._refused)
            said = f"no answer within {self._timeout_s:g} s" if is_late else _one_line(_root(error))
            # One that hangs may still have what it accepted; one that cannot be reached has perhaps lost it.
            return Reply(
                Fate.WAITS, f"{self._url}: {said}", is_gone=isinstance(error, self._unconnected) or not is_late
            )
        return Reply(Fate.ACCEPTED, is_new=self._connects != connects)

    def _judge(self, error: Any) -> Reply:
        if not error.status:  # no answer: the certificate is not believed
            return Reply(Fate.WAITS, f"{self._url}: {_one_line(error.reason)}")
        return reply_of(error.status, _text(error.body), self._bucket, _wait_s(error.headers))

    def _count_connects(self, pool: Any) -> None:
        """Have a pool's connections count; one that was closed opens again by itself, unseen by the pool."""
        writer = self

        class Connection(pool.ConnectionCls):  # type: ignore[misc]
            def connect(self) -> None:
                writer._connects += 1
                super().connect()

        pool.ConnectionCls = Connection

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _root(error: BaseException) -> BaseException:
    """Give what an error began with: the network's own word."""
    while error.__context__ is not None:
        error = error.__context__
    return error


def _one_line(error: object) -> str:
    return " ".join(str(error).split())[:300]


def _text(body: object) -> str:
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")


def _wait_s(headers: Mapping[str, str] | None) -> float | None:
    """Give what the server asks us to wait, in seconds; a date is not understood."""
    said = (headers or {}).get("Retry-After")
    return min(float(said), _LONGEST_WAIT_S) if said is not None and said.isdigit() else None
