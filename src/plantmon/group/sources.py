"""This module reads what the plants of a group state, from where the group file says."""

from __future__ import annotations

from plantmon.group import files
from plantmon.model.group import Member, ReportFiles, Statement


class Sources:
    """Reads statements; what plants share, such as a connection, is made once."""

    def read(self, member: Member, period: str) -> Statement | None:
        """Give what a plant states of a period; None where it states nothing.

        Raises StatementError for a file that is no report, DeliveryError where an InfluxDB cannot be read.
        """
        if isinstance(member.source, ReportFiles):
            return files.statement(member.source.pattern, member.id, period)
        raise NotImplementedError
