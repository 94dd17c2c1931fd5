"""This module reads what the plants of a group state, from where the group file says."""

from __future__ import annotations

from plantmon.errors import DeliveryError, StatementError
from plantmon.forward.reader import InfluxReader
from plantmon.group import files, influx
from plantmon.model.group import InfluxBucket, Member, ReportFiles, Statement


class Sources:
    """Reads statements; plants of one InfluxDB are read over one connection."""

    def __init__(self) -> None:
        self._readers: dict[InfluxBucket, InfluxReader] = {}

    def read(self, member: Member, period: str) -> Statement | None:
        """Give what a plant states of a period; None where it states nothing.

        Raises StatementError for a file that is no report, DeliveryError where an InfluxDB cannot be read.
        """
        if isinstance(member.source, ReportFiles):
            return files.statement(member.source.pattern, member.id, period)
        source = member.source
        try:
            return influx.statement(self._reader(source), f"{source.url} {source.bucket}", member.id, period)
        except DeliveryError as error:
            raise DeliveryError(f"{member.id}, {source.url}: {error}", retriable=error.retriable) from error

    def _reader(self, bucket: InfluxBucket) -> InfluxReader:
        if bucket not in self._readers:
            self._readers[bucket] = InfluxReader(bucket.url, bucket.org, bucket.bucket, _token(bucket), ca=bucket.ca)
        return self._readers[bucket]


def _token(bucket: InfluxBucket) -> str | None:
    if bucket.token_file is None:
        return None
    try:
        return bucket.token_file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise StatementError(f"influx.token_file: {bucket.token_file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise StatementError(f"influx.token_file: {bucket.token_file}: {error}") from error
