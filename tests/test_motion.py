"""The camera over a still: slow, soft at both ends, and without a jitter."""

from typing import get_args

import numpy as np
import pytest

from engine.motion import MOTIONS, reach, see
from engine.planes import Frame, luma, split, to_i420
from engine.requests import MotionName
from tests.pictures import draw_picture

MOVING = sorted(set(get_args(MotionName)) - {"none"})
SIDE = 256


def dots() -> Frame:
    """A soft dot in the middle of each quarter, whose places can be measured finely."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(float)
    grey = np.zeros((SIDE, SIDE))
    for y, x in ((64, 64), (64, 192), (192, 64), (192, 192)):
        grey += 200 * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * 6.0**2))
    return to_i420(np.repeat(grey.round().astype(np.uint8)[..., None], 3, axis=2))


def place(plane: Frame, rows: slice, columns: slice) -> tuple[float, float]:
    """The centre of the dot in a part of a plane, in pixels."""
    part = plane[rows, columns].astype(float)
    part = (part - np.median(part)).clip(0)
    y, x = np.mgrid[0 : part.shape[0], 0 : part.shape[1]]
    return float((part * x).sum() / part.sum()), float((part * y).sum() / part.sum())


def test_every_name_has_its_motion() -> None:
    assert set(MOTIONS) == set(get_args(MotionName))


def test_without_motion_the_still_itself_is_seen() -> None:
    still = to_i420(draw_picture(64, 64))
    assert see(still, "none", 0.3, reach(3)) is still


@pytest.mark.parametrize(("motion", "way"), [("zoom_in", 0.0), ("zoom_out", 1.0)])
def test_a_zoom_begins_or_ends_with_the_whole_still(motion: MotionName, way: float) -> None:
    still = to_i420(draw_picture(64, 64))
    assert np.array_equal(see(still, motion, way, reach(3)), still)


@pytest.mark.parametrize("motion", MOVING)
def test_the_camera_moves_smoothly_to_a_tenth_of_a_pixel(motion: MotionName) -> None:
    still, frames = dots(), 72
    upper_left = slice(16, 128), slice(16, 128)
    seen = [see(still, motion, index / (frames - 1), reach(3)) for index in range(frames)]
    places = np.array([place(luma(frame), *upper_left) for frame in seen])
    speed = np.diff(places, axis=0)
    assert np.abs(np.diff(speed, axis=0)).max() <= 0.1
    assert np.abs(places[-1] - places[0]).max() > 2  # it does move
    middle = np.abs(speed[frames // 2]).max()
    assert np.abs(speed[[0, -1]]).max() < 0.2 * middle  # softly at both ends


@pytest.mark.parametrize("motion", MOVING)
def test_brightness_and_colour_stay_while_the_camera_moves(motion: MotionName) -> None:
    flat = to_i420(np.full((64, 96, 3), (200, 90, 40), np.uint8))
    for way in (0.0, 0.2, 0.5, 0.9, 1.0):
        assert np.array_equal(see(flat, motion, way, reach(3)), flat)


@pytest.mark.parametrize("motion", MOVING)
def test_colour_moves_with_the_light(motion: MotionName) -> None:
    rgb = np.zeros((SIDE, SIDE, 3), np.uint8)
    rgb[96:160, 96:160] = (250, 30, 30)
    seen = see(to_i420(rgb), motion, 0.37, reach(4))
    y, _, cr = split(seen)
    x_light, y_light = place(y, slice(None), slice(None))
    x_colour, y_colour = place(cr, slice(None), slice(None))
    assert 2 * x_colour == pytest.approx(x_light, abs=0.2)  # chroma is sited at the left
    assert 2 * y_colour + 0.5 == pytest.approx(y_light, abs=0.2)


@pytest.mark.parametrize("motion", MOVING)
def test_the_same_way_gives_the_same_frame(motion: MotionName) -> None:
    still = to_i420(draw_picture(96, 64))
    assert np.array_equal(see(still, motion, 0.4, 0.09), see(still, motion, 0.4, 0.09))


def test_the_camera_is_slow_however_long_a_scene_is() -> None:
    assert reach(1) < reach(3) < reach(60) <= 0.12
