"""This module proves that the page is printed as a PDF: its texts, its pages, and what is said where it cannot be."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from annual_tables import a_material

from plantmon.errors import CannotPrint
from plantmon.reports.esg.charts import charts
from plantmon.reports.esg.page import page
from plantmon.reports.esg.pdf import pdf


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        ("en", ("Environmental and social data tables", "39,525,934", "no line in the ledger", "Greenhouse gases")),
        ("zh", ("环境与社会绩效数据表", "39,525,934", "台账无记录", "温室气体")),
    ],
)
def test_the_pdf_holds_what_the_page_does(tmp_path: Path, language: str, sentences: tuple[str, ...]) -> None:
    """The printed tables can be read and searched, Chinese too, and every page is A4."""
    material = a_material(language=language)
    file = tmp_path / "report.pdf"
    file.write_bytes(pdf(page(material, charts(material))))
    text = subprocess.run(["pdftotext", "-layout", file, "-"], capture_output=True, check=True).stdout.decode()
    for sentence in sentences:
        assert sentence in text
    info = subprocess.run(["pdfinfo", file], capture_output=True, check=True).stdout.decode()
    assert re.search(r"Page size:\s+(595\.\d+ x 841\.\d+|841\.\d+ x 595\.\d+) pts \(A4\)", info)
    fonts = subprocess.run(["pdffonts", file], capture_output=True, check=True).stdout.decode().splitlines()[2:]
    assert fonts
    assert all(re.search(r"\byes\s+(yes|no)\s+(yes|no)\s+\d+\s+\d+$", line) for line in fonts)  # each is embedded


def test_nothing_is_fetched(tmp_path: Path) -> None:
    """A page that names a file of the machine is printed without it."""
    secret = tmp_path / "secret.txt"
    secret.write_text("not for print")
    printed = tmp_path / "x.pdf"
    printed.write_bytes(pdf(f'<p>words</p><img src="file://{secret}" alt=""><object data="file://{secret}"></object>'))
    text = subprocess.run(["pdftotext", printed, "-"], capture_output=True, check=True).stdout.decode()
    assert text.strip() == "words"


def test_without_a_printer_it_says_so() -> None:
    """Where the page cannot be printed the fault says why, and is told apart from a library that is not there."""
    with pytest.raises(CannotPrint) as fault:
        pdf("<p>words</p>", printer="/nonexistent/python")
    assert not fault.value.is_missing
    with pytest.raises(CannotPrint) as missing:
        pdf("<p>words</p>", printer=_python_without_libraries())
    assert missing.value.is_missing


def _python_without_libraries() -> str:
    """Give a program that ends as the child does without the library."""
    return str(Path(__file__).parent / "no_library.sh")
