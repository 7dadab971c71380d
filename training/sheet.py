"""The contact sheet: pictures over their prompts, and what the judge misread in them."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from training.scoring import name_misread

COLUMNS = 8
SIDE = 192
CAPTION_HEIGHT = 80
FONT_SIZE, LINE_HEIGHT, LETTERS = 10, 12, 37
LINES = 6
INK, WRONG = (40, 40, 48), (196, 30, 40)
LARGEST_FILE = 1_500_000


@dataclass(frozen=True)
class Entry:
    """One picture of the sheet.

    Attributes:
        expected: What the prompt states.
        read: What the judge saw.
    """

    picture: Image.Image
    prompt: str
    expected: Mapping[str, str]
    read: Mapping[str, str]


def write_sheet(entries: Sequence[Entry], path: Path) -> None:
    """Write the sheet as a PNG of few colours, fewer where it would get too large."""
    sheet = lay_out(entries)
    for colours in (256, 160, 96, 48):
        file = io.BytesIO()
        sheet.quantize(colours, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
        if file.tell() <= LARGEST_FILE:
            break
    path.write_bytes(file.getvalue())


def lay_out(entries: Sequence[Entry]) -> Image.Image:
    """Place the pictures in rows of COLUMNS, each over its caption."""
    rows = -(-len(entries) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * SIDE, rows * (SIDE + CAPTION_HEIGHT)), (255, 255, 255))
    draw = ImageDraw.Draw(sheet)
    for index, entry in enumerate(entries):
        x, y = index % COLUMNS * SIDE, index // COLUMNS * (SIDE + CAPTION_HEIGHT)
        sheet.paste(entry.picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (x, y))
        for number, (line, ink) in enumerate(_caption(entry)):
            place = (x + 4, y + SIDE + 2 + number * LINE_HEIGHT)
            draw.text(place, line, fill=ink, font_size=FONT_SIZE)
    return sheet


def _caption(entry: Entry) -> list[tuple[str, tuple[int, int, int]]]:
    """Return the lines under a picture: as much of the prompt as fits over what is wrong."""
    wrong = textwrap.wrap("; ".join(name_misread(entry.expected, entry.read)), LETTERS)[:3]
    said = textwrap.wrap(entry.prompt, LETTERS)
    room = LINES - len(wrong)
    if len(said) > room:
        said = [*said[: room - 1], said[room - 1][: LETTERS - 3] + "..."]
    return [(line, INK) for line in said] + [(line, WRONG) for line in wrong]
