"""This module reads from an InfluxDB in InfluxQL over /query, which every generation of it understands.

What is read stands as it was sent; nothing is averaged there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from plantmon.errors import DeliveryError
from plantmon.forward.reply import said_by


@dataclass(frozen=True, slots=True)
class Answer:
    """A statement's series and the answer's headers."""

    series: list[dict[str, Any]]
    version: str | None
    date_ms: int | None  # the server's clock, to the second; None where it does not say


def quoted(text: str) -> str:
    r"""Write a text as InfluxQL takes a string.

    >>> print(quoted("it's"))
    'it\'s'
    """
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def named(text: str) -> str:
    """Write a name of a measurement, tag, field or database."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class InfluxReader:
    """The reading side of one bucket, which its /query knows as a database."""

    def __init__(
        self, url: str, org: str, bucket: str, token: str | None, timeout_s: float = 10.0, ca: Path | None = None
    ) -> None:
        # Here and not above: only those who use an InfluxDB have need of it.
        import urllib3

        self.bucket = bucket
        self._url, self._org, self._timeout_s = url.rstrip("/"), org, timeout_s
        self._headers = {"Authorization": f"Token {token}"} if token else {}
        self._failed: type[Exception] = urllib3.exceptions.HTTPError
        self._pool: Any = urllib3.PoolManager(
            retries=False, timeout=timeout_s, ca_certs=None if ca is None else str(ca)
        )

    def ask(self, influxql: str) -> Answer:
        """Run one statement; times come in milliseconds. Raises DeliveryError with the server's word."""
        fields = {"db": self.bucket, "org": self._org, "q": influxql, "epoch": "ms"}
        try:
            answer = self._pool.request("POST", f"{self._url}/query", fields=fields, headers=self._headers,
                                        encode_multipart=False)  # fmt: skip
        except self._failed as error:
            raise DeliveryError(f"{self._url}: {error}", retriable=True) from error
        text = answer.data.decode("utf-8", "replace")
        if answer.status != 200:
            raise DeliveryError(f"{answer.status}: {said_by(text)}", retriable=False, code=answer.status)
        try:
            [result] = json.loads(text)["results"]
        except (ValueError, LookupError, TypeError) as error:
            raise DeliveryError(f"{self._url}: this is no answer to /query", retriable=False) from error
        if "error" in result:
            raise DeliveryError(str(result["error"]), retriable=False)
        version = answer.headers.get("X-Influxdb-Version")
        return Answer(result.get("series", []), version, _moment_ms(answer.headers.get("Date")))

    def rows(
        self, measurement: str, fields: Sequence[str], tags: dict[str, str], start_ms: int, end_ms: int
    ) -> list[list[Any]]:
        """Read the points of [start, end) with these tags, oldest first: (time, fields).

        Raises DeliveryError, also where the server knows no InfluxQL: VictoriaMetrics answers every question alike.
        """
        wanted = ", ".join(map(named, fields))
        chosen = " AND ".join(f"{named(name)} = {quoted(text)}" for name, text in tags.items())
        found = self.ask(
            f"SELECT {wanted} FROM {named(measurement)} WHERE {chosen}"  # noqa: S608 - InfluxQL, each part quoted
            f" AND time >= {start_ms}ms AND time < {end_ms}ms"
        )
        if any(series["columns"] != ["time", *fields] for series in found.series):
            raise DeliveryError(f"{self._url} takes lines and knows no InfluxQL", retriable=False)
        return [row for series in found.series for row in series["values"]]


def _moment_ms(date: str | None) -> int | None:
    try:
        return None if date is None else int(parsedate_to_datetime(date).timestamp() * 1000)
    except ValueError:
        return None
