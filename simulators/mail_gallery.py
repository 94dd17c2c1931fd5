"""This module makes a mail of each kind as the product composes it, to look at.

`python -m simulators.mail_gallery OUT` writes for each language a folder of HTML pages and of pictures as wide as a
phone, and contact sheets that show all of them under their subjects. Pictures need Debian's chromium. Ends with 1 where
a mail is wider than the phone.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from plantmon.notify import chart
from plantmon.notify.compose import compose_plain
from plantmon.notify.facts import Facts
from plantmon.notify.letter import letter, words_of
from plantmon.notify.sketch import sketch
from plantmon.store.outbox import Message
from plantmon.times import SECOND_MS
from simulators.mail_gallery_facts import PLANT, UNKNOWN, Mail, mails, series
from simulators.mailbox import self_contained_html

LANGUAGES = ("zh", "en")
COLUMNS = {"limits": 5, "data": 5, "others": 4, "digests": 3}  # of each sheet
PHONE_PX, GAP_PX, CAPTION_PX = 390, 20, 78
SENDER = "plantmon <plantmon@example.com>"
_PLAIN = "white-space:pre-wrap;overflow-wrap:anywhere;margin:0;padding:12px 4px"
_COLOURS = 96  # of a sheet: few colours and their soft edges


@dataclass(frozen=True, slots=True)
class Page:
    """A mail as a page that opens by itself."""

    mail: Mail
    subject: str
    body: str


def page(mail: Mail, language: str) -> Page:
    """Compose a mail; one without HTML becomes a page of its text."""
    cjk = chart.cjk_family()

    def picture(facts: Facts, message: Message) -> bytes | None:
        def until_now(point: str, start_ms: int, end_ms: int) -> tuple[list[int], list[float]]:
            return series(point, start_ms, min(end_ms, message.created_ms))

        drawing = sketch(facts, PLANT, message.language, message.created_ms, until_now)
        return None if drawing is None else chart.draw(drawing, cjk)

    message = mail.message(language)
    if mail.facts["kind"] == UNKNOWN:
        made = compose_plain(
            mail.facts, event=mail.event, severity=mail.severity, sender=SENDER, addresses=["ehs@example.com"],
            message_id=message.message_id, date=datetime.fromtimestamp(mail.created / SECOND_MS, UTC),
        )  # fmt: skip
        subject, words = words_of(made)
        return Page(mail, subject, f"<meta charset='utf-8'><pre style='{_PLAIN}'>{html.escape(words)}</pre>")
    made = letter(message, PLANT, SENDER, mail.created, picture)
    body = self_contained_html(made)
    if body is None:
        raise RuntimeError(f"the product could not write {mail.name}")
    return Page(mail, words_of(made)[0], body)


def _frame(one: Page, left: int, top: int, height: int) -> str:
    """Show a page in a frame as wide as a phone, under its subject."""
    caption = (
        f"<div class=c style='left:{left}px;top:{top}px'><b>{html.escape(one.subject)}</b></div>"
        if height else ""
    )  # fmt: skip
    box = f"left:{left}px;top:{top + CAPTION_PX}px;height:{height or 10}px"
    return f"{caption}<iframe srcdoc=\"{html.escape(one.body)}\" style='{box}'></iframe>"


_SHEET = """<!DOCTYPE html><meta charset='utf-8'><style>
body {{margin:0;background:#c5ccd3;font:14px/1.3 'Noto Sans CJK SC','WenQuanYi Micro Hei',sans-serif}}
iframe {{position:absolute;width:{width}px;border:0;background:#fff}}
.c {{position:absolute;width:{width}px;height:{caption}px;display:flex;align-items:flex-end;overflow:hidden}}
.c b {{padding:0 0 6px;color:#1f2933;overflow-wrap:anywhere}}
</style>{frames}
"""
_MEASURE = """<script>addEventListener('load', () => {
  const sizes = [...document.querySelectorAll('iframe')].map(one => {
    const page = one.contentDocument.documentElement;
    return [page.scrollWidth, page.querySelector('body').scrollHeight];
  });
  document.title = JSON.stringify(sizes);
})</script>
"""


class Browser:
    """Debian's chromium, without a window. Raises RuntimeError where it is missing or fails."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("chromium")
        if program is None:
            raise RuntimeError("pictures need chromium (Debian: chromium)")
        self._folder = folder
        self._command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                         f"--user-data-dir={folder / '.chromium'}"]  # fmt: skip

    def measure(self, pages: Sequence[Page]) -> list[tuple[int, int]]:
        """Give each page's width and height on a phone."""
        file = self._folder / "measure.html"
        file.write_text(_sheet([_frame(one, 0, 0, 0) for one in pages]) + _MEASURE, encoding="utf-8")
        dumped = self._run("--dump-dom", file.as_uri())
        file.unlink()
        found = re.search(r"<title>(.*?)</title>", dumped)
        if found is None:
            raise RuntimeError("chromium measured nothing")
        return [(width, height) for width, height in json.loads(html.unescape(found[1]))]

    def shoot(self, file: Path, picture: Path, width: int, height: int) -> None:
        """Make a picture of a page."""
        self._run(f"--window-size={width},{height}", f"--screenshot={picture}", file.as_uri())
        if not picture.exists():
            raise RuntimeError(f"chromium made no {picture}")

    def _run(self, *arguments: str) -> str:
        done = subprocess.run([*self._command, *arguments], capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr[-1000:])
        return done.stdout


def _sheet(frames: Iterable[str]) -> str:
    return _SHEET.format(width=PHONE_PX, caption=CAPTION_PX, frames="\n".join(frames))


def _places(heights: Sequence[int], columns: int) -> list[tuple[int, int]]:
    """Put pages one under the other, into the next column where this one has its share; give their left and top."""
    whole = sum(CAPTION_PX + height for height in heights)
    ends, found, done = [0] * columns, [], 0
    for height in heights:
        tall = CAPTION_PX + height
        column = min(columns - 1, int((done + tall / 2) * columns / whole))
        found.append((GAP_PX + column * (PHONE_PX + GAP_PX), ends[column]))
        ends[column] += tall
        done += tall
    return found


def render(pages: Sequence[Page], folder: Path, language: str, browser: Browser) -> list[str]:
    """Make the pictures of one language: a sheet a name, and each mail's own; give the mails too wide for a phone."""
    sizes = dict(zip((one.mail.name for one in pages), browser.measure(pages), strict=True))
    for sheet, columns in COLUMNS.items():
        own = [one for one in pages if one.mail.sheet == sheet]
        heights = [sizes[one.mail.name][1] for one in own]
        places = _places(heights, columns)
        file, picture = folder / f"{sheet}.html", folder / f"mails-{sheet}-{language}.png"
        frames = [_frame(one, *place, height) for one, place, height in zip(own, places, heights, strict=True)]
        file.write_text(_sheet(frames), encoding="utf-8")
        tall = max(top + CAPTION_PX + height for (_, top), height in zip(places, heights, strict=True)) + GAP_PX
        browser.shoot(file, picture, GAP_PX + columns * (PHONE_PX + GAP_PX), tall)
        file.unlink()
        _cut(
            picture, [(one.mail.name, *place, height) for one, place, height in zip(own, places, heights, strict=True)]
        )
    return [name for name, (width, _) in sizes.items() if width > PHONE_PX]


def _cut(picture: Path, places: Iterable[tuple[str, int, int, int]]) -> None:
    """Cut each mail's own picture out of a sheet, and make the sheet small."""
    with Image.open(picture) as opened:
        whole = opened.convert("RGB")
    for name, left, top, height in places:
        whole.crop((left, top, left + PHONE_PX, top + CAPTION_PX + height)).save(picture.parent / f"{name}.png")
    _few_colours(whole).save(picture, optimize=True)


def _few_colours(picture: Image.Image) -> Image.Image:
    """Give a picture with the colours that cover most of it as they are, and some of all others."""
    counted = picture.getcolors(picture.width * picture.height)
    most = [colour for _, colour in sorted(counted or [], reverse=True)[: _COLOURS // 2]]
    others = picture.quantize(_COLOURS // 2, Image.Quantize.MAXCOVERAGE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in most for part in colour] + others[: 3 * (_COLOURS // 2)])
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


def main() -> int:
    """Make the gallery; 1 where a mail is too wide for a phone."""
    parser = argparse.ArgumentParser(prog="python -m simulators.mail_gallery", description=__doc__)
    parser.add_argument("folder", type=Path, help="where pages and pictures are written")
    folder = parser.parse_args().folder.resolve()
    wide = []
    for language in LANGUAGES:
        own = folder / language
        own.mkdir(parents=True, exist_ok=True)
        pages = [page(mail, language) for mail in mails()]
        for one in pages:
            (own / f"{one.mail.name}.html").write_text(one.body, encoding="utf-8")
        wide += [f"{language}/{name}" for name in render(pages, own, language, Browser(own))]
        shutil.rmtree(own / ".chromium", ignore_errors=True)
        print(f"{len(pages)} mails, {', '.join(sorted(one.name for one in own.glob('mails-*.png')))} in {own}")
    if wide:
        print(f"wider than {PHONE_PX} px: {', '.join(wide)}", file=sys.stderr)
    return 1 if wide else 0


if __name__ == "__main__":
    sys.exit(main())
