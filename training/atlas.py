"""Glyph pictures: cut from Noto Color Emoji once, then read from a committed PNG."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from training.things import THINGS

CELL = 136
COLUMNS = 8
STRIKE = 109
ATLAS_PATH = Path(__file__).parent / "atlas" / "things.png"
LICENCE_PATH = Path(__file__).parent / "atlas" / "OFL.txt"


def _glyph_names() -> list[str]:
    return [thing.name for thing in THINGS if thing.glyph]


def build_atlas(font_path: Path, target: Path = ATLAS_PATH) -> None:
    """Draw every glyph in use into one RGBA PNG, in the order of THINGS.

    Args:
        font_path: NotoColorEmoji.ttf, whose only bitmap strike is 136 by 128 pixels.
    """
    font = ImageFont.truetype(str(font_path), STRIKE)
    glyphs = [thing.glyph for thing in THINGS if thing.glyph]
    rows = -(-len(glyphs) // COLUMNS)
    sheet = Image.new("RGBA", (COLUMNS * CELL, rows * CELL), (0, 0, 0, 0))
    for index, glyph in enumerate(glyphs):
        cell = Image.new("RGBA", (CELL, CELL), (0, 0, 0, 0))
        ImageDraw.Draw(cell).text((0, 4), glyph, font=font, embedded_color=True)
        sheet.paste(cell, (index % COLUMNS * CELL, index // COLUMNS * CELL))
    target.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(target, optimize=True)


@lru_cache(maxsize=1)
def load_atlas() -> dict[str, Image.Image]:
    """Return each glyph by its thing's name, RGBA, cropped to what is painted."""
    sheet = Image.open(ATLAS_PATH).convert("RGBA")
    pictures: dict[str, Image.Image] = {}
    for index, name in enumerate(_glyph_names()):
        left, top = index % COLUMNS * CELL, index // COLUMNS * CELL
        cell = sheet.crop((left, top, left + CELL, top + CELL))
        pictures[name] = cell.crop(cell.getbbox())
    return pictures
