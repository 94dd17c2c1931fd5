"""This module prints the page of the annual tables as a PDF, in a child process: the printing library is an extra.

The library needs Debian's libpango-1.0-0, libpangoft2-1.0-0 and libharfbuzz-subset0, and a font with Chinese signs.
"""

from __future__ import annotations

import subprocess
import sys

from plantmon.errors import CannotPrint

PRINT_S = 300.0
NO_LIBRARY = 3  # the child's exit code without the library
PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


def pdf(page: str, printer: str = sys.executable) -> bytes:
    """Print a page; `printer` is the Python that has the library. Raises CannotPrint."""
    command = [printer, "-m", "plantmon.reports.esg.printing"]
    try:
        child = subprocess.run(command, input=page.encode(), capture_output=True, timeout=PRINT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotPrint(str(error), is_missing=False) from error
    if child.returncode:
        said = child.stderr.decode("utf-8", "replace").strip().splitlines()
        raise CannotPrint(said[-1] if said else "", is_missing=child.returncode == NO_LIBRARY)
    return child.stdout
