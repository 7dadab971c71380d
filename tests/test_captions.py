"""Captions: legible, within the picture, and as subtitles at the right times."""

import numpy as np
import pytest

from engine.captions import lay_out, put_on, subtitles, wrap
from engine.planes import luma, to_i420


@pytest.mark.parametrize("ground", [0, 127, 255])
@pytest.mark.parametrize("size", [(512, 512), (256, 128), (128, 512)])
def test_letters_are_legible_on_any_ground(ground: int, size: tuple[int, int]) -> None:
    width, height = size
    frame = to_i420(np.full((height, width, 3), ground, np.uint8))
    shown = luma(put_on(frame, lay_out("A fox in the snow", width, height)))
    changed = np.argwhere(shown != luma(frame))
    assert len(changed) > 50
    lines, columns = changed[:, 0], changed[:, 1]
    assert shown[lines, columns].max() >= 225  # white letters
    assert shown[lines, columns].min() <= 30 or ground == 0  # with a dark outline
    assert height * 0.5 < lines.min() and lines.max() < height * 0.98
    assert width * 0.03 < columns.min() and columns.max() < width * 0.97


def test_a_caption_without_letters_is_no_accident() -> None:
    frame = to_i420(np.full((128, 128, 3), 90, np.uint8))
    assert np.array_equal(put_on(frame, lay_out(" ", 128, 128)), frame)


@pytest.mark.parametrize("text", ["word " * 200, "x" * 4000, "a", "two words"])
def test_lines_fit_and_are_few(text: str) -> None:
    lines = wrap(text, lambda line: len(line) <= 20)
    assert 1 <= len(lines) <= 4 and all(len(line) <= 20 for line in lines)
    assert lines[-1].endswith("…") == (len(text) > 80)


def test_lines_are_about_as_long_as_each_other() -> None:
    text = "standing on a mountain peak at sunrise"
    assert wrap(text, lambda line: len(line) <= 31) == ["standing on a mountain", "peak at sunrise"]


def test_subtitles_come_and_go_with_their_scenes() -> None:
    track = subtitles(["on a\nbeach", "in a forest"], [(0, 72), (84, 24 * 3700)], 24)
    assert track == (
        "1\n00:00:00,000 --> 00:00:03,000\non a beach\n\n"
        "2\n00:00:03,500 --> 01:01:40,000\nin a forest\n"
    )
