"""This module prints a page as a PDF, as the child process `python -m plantmon.reports.esg.printing`.

Nothing else of plantmon imports it. Nothing is fetched while it prints: a page that names a file or an address outside
itself is printed without it.
"""

from __future__ import annotations

import sys

from plantmon.reports.esg.pdf import NO_LIBRARY

try:
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher
except (ImportError, OSError) as error:  # OSError: the Python part is there, Debian's libraries are not
    sys.stderr.write(f"{error}\n".replace("\n", " ") + "\n")
    sys.exit(NO_LIBRARY)


def main() -> None:
    """Print standard input to standard output."""
    page = sys.stdin.buffer.read().decode("utf-8")
    sys.stdout.buffer.write(HTML(string=page, url_fetcher=URLFetcher(allowed_protocols=())).write_pdf())


if __name__ == "__main__":
    main()
