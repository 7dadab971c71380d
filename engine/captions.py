"""What a scene says, for the eye: burnt into its frames, or as a subtitle track. Pure."""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from engine.planes import Frame, mix, to_i420, weigh

_SIZE, _SMALLEST = 1 / 18, 10
"""Height of the letters: of the picture's shorter side, and at least so many pixels."""
_LINES, _LONGEST = 4, 240
_MORE = "…"
_WIDEST = 0.88
_MARGIN = 0.05
_SPACING = 0.2
_OUTLINE = 0.12
"""Of the letters' size: a dark outline keeps white letters legible on any ground."""


@dataclass(frozen=True)
class Caption:
    """Letters laid out for frames of one size: what they look like, and where they are."""

    letters: Frame
    weights: NDArray[np.uint16]


def lay_out(text: str, width: int, height: int) -> Caption:
    """Set text at the bottom of a picture, white with a dark outline, as many lines as it takes."""
    size = max(_SMALLEST, round(min(width, height) * _SIZE))
    font = ImageFont.load_default(size)
    lines = "\n".join(wrap(text, lambda line: font.getlength(line) <= width * _WIDEST))

    def write(mode: str, outline: str) -> Image.Image:
        picture = Image.new(mode, (width, height))
        ImageDraw.Draw(picture).multiline_text(
            (width / 2, height * (1 - _MARGIN)), lines, "white", font, anchor="md", align="center",
            spacing=size * _SPACING, stroke_width=max(1, round(size * _OUTLINE)),
            stroke_fill=outline,
        )  # fmt: skip
        return picture

    cover, letters = write("L", "white"), write("RGB", "black")
    weights = np.asarray(cover, np.float32) / np.float32(255)
    return Caption(to_i420(np.asarray(letters)), weigh(weights))


def put_on(frame: Frame, caption: Caption) -> Frame:
    """Burn a caption into a frame of the same shape."""
    return mix(frame, caption.letters, caption.weights)


def wrap(text: str, fits: Callable[[str], bool]) -> list[str]:
    """Break text into at most `_LINES` lines that fit, as few and as even as may be.

    What is too much ends in an ellipsis.
    """
    text = " ".join(text.split())
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + _MORE
    widths = range(max(2, len(text)), 1, -1)
    ways = [textwrap.wrap(text, n, max_lines=_LINES, placeholder=_MORE) for n in widths]
    fitting = [lines for lines in ways if all(fits(line) for line in lines)]
    if not fitting:
        return ways[-1]
    few = [lines for lines in fitting if len(lines) == len(fitting[0])]
    return [lines for lines in few if _letters(lines) == _letters(few[0])][-1]


def _letters(lines: list[str]) -> str:
    return "".join(lines).replace(" ", "")


def subtitles(texts: Sequence[str], spans: Sequence[tuple[int, int]], fps: int) -> str:
    """Write a subtitle track in SRT form; spans are the first frame and the one after the last."""
    blocks = []
    for number, (text, (start, end)) in enumerate(zip(texts, spans, strict=True), start=1):
        line = " ".join(text.split())
        blocks.append(f"{number}\n{_moment(start, fps)} --> {_moment(end, fps)}\n{line}\n")
    return "\n".join(blocks)


def _moment(frame: int, fps: int) -> str:
    ms = round(1000 * frame / fps)
    hours, minutes, seconds = ms // 3_600_000, ms // 60_000 % 60, ms // 1000 % 60
    return f"{hours:02}:{minutes:02}:{seconds:02},{ms % 1000:03}"
