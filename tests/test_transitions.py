"""Transitions between stills: exact, steady, no flash and no jump."""

from itertools import pairwise
from typing import get_args

import numpy as np
import pytest

from engine.planes import BLACK, Frame, luma, split, to_i420
from engine.requests import TransitionName
from engine.transitions import TRANSITIONS, blend, crossfade, ease
from tests.pictures import draw_picture

FRAMES = 24
MOVING = sorted(set(get_args(TransitionName)) - {"cut"})


def every_pair() -> tuple[Frame, Frame]:
    """All 65,536 pairs of levels."""
    first, second = np.meshgrid(np.arange(256), np.arange(256))
    return first.astype(np.uint8), second.astype(np.uint8)


@pytest.mark.parametrize("frames", [1, 2, 3, 11, 12, 23, 24, 60, 119, 127, 128, 239, 240])
def test_a_crossfade_is_the_linear_blend_to_the_nearest_level(frames: int) -> None:
    first, second = every_pair()
    made = list(crossfade(first, second, frames))
    assert len(made) == frames
    for index, frame in enumerate(made):
        alpha = (index + 1) / (frames + 1)
        exact = first * (1 - alpha) + second.astype(np.float64) * alpha
        assert frame.dtype == np.uint8
        assert np.abs(frame - exact).max() <= 0.5 + 1e-9


def test_a_blend_is_exact_up_to_255_steps() -> None:
    first, second = every_pair()
    for step in (1, 100, 254):
        exact = (first * (255.0 - step) + second * float(step)) / 255
        assert np.abs(blend(first, second, step, 255) - exact).max() <= 0.5 + 1e-9


def test_a_crossfade_moves_from_the_first_still_to_the_second() -> None:
    black, white = np.zeros((2, 2), np.uint8), np.full((2, 2), 255, np.uint8)
    levels = [int(frame[0, 0]) for frame in crossfade(black, white, 4)]
    assert levels == [51, 102, 153, 204]


def test_a_crossfade_between_equal_stills_changes_nothing() -> None:
    still = stills()[0]
    assert all(np.array_equal(frame, still) for frame in crossfade(still, still, 7))


def test_a_crossfade_leaves_its_stills_alone() -> None:
    first, second = stills()
    before = first.copy(), second.copy()
    list(crossfade(first, second, 3))
    assert np.array_equal(first, before[0]) and np.array_equal(second, before[1])


def stills(width: int = 96, height: int = 64) -> tuple[Frame, Frame]:
    return to_i420(draw_picture(width, height, 1)), to_i420(draw_picture(width, height, 2))


def whole(first: Frame, second: Frame, name: str, frames: int = FRAMES) -> list[Frame]:
    """A transition with the stills before and after it."""
    return [first, *TRANSITIONS[name](first, second, frames), second]  # type: ignore[index]


def test_every_name_has_its_transition() -> None:
    assert set(TRANSITIONS) == set(get_args(TransitionName))


@pytest.mark.parametrize("name", sorted(TRANSITIONS))
@pytest.mark.parametrize("frames", [0, 1, 2, 7])
def test_a_transition_has_its_frames_and_leaves_the_stills_alone(name: str, frames: int) -> None:
    first, second = stills()
    before = first.copy(), second.copy()
    made = whole(first, second, name, frames)[1:-1]
    assert len(made) == (0 if name == "cut" else frames)
    assert all(frame.shape == first.shape and frame.dtype == np.uint8 for frame in made)
    assert np.array_equal(first, before[0]) and np.array_equal(second, before[1])


@pytest.mark.parametrize("name", MOVING)
def test_a_transition_between_equal_stills_does_not_flash(name: str) -> None:
    still = to_i420(np.full((64, 96, 3), 120, np.uint8))
    made = whole(still, still, name)
    if name == "fade_through_black":
        assert luma(made[len(made) // 2]).max() <= BLACK + 8
        return
    assert all(np.abs(frame.astype(int) - still).max() <= 1 for frame in made)


@pytest.mark.parametrize(
    ("name", "rate"),
    [("crossfade", 1.0), ("fade_through_black", 2.0), ("dissolve", 3.0), ("wipe", 14.1)],
)
def test_no_frame_differs_from_its_neighbour_by_more_than_the_rate(name: str, rate: float) -> None:
    """`rate` is how much faster than a crossfade a single pixel may change."""
    first = to_i420(draw_picture(96, 64, 1))
    second = to_i420(255 - draw_picture(96, 64, 1))
    made = whole(first, second, name, 48)
    steps = [np.abs(np.diff(np.stack(pair).astype(int), axis=0)).max() for pair in
             pairwise(made)]  # fmt: skip
    assert max(steps) <= 219 * rate / 49 + 2


@pytest.mark.parametrize("name", sorted(set(MOVING) - {"slide"}))
def test_the_picture_as_a_whole_changes_steadily(name: str) -> None:
    first, second = stills()
    made = whole(first, second, name, 48)
    far = [float(np.abs(frame.astype(int) - made[-1]).mean()) for frame in made]
    steps = np.abs(np.diff(far))
    assert steps.max() <= 4 * far[0] / 49 + 0.5  # no jump anywhere, the ends included
    if name != "fade_through_black":
        assert all(later <= sooner + 0.05 for sooner, later in pairwise(far))


def test_a_fade_through_black_is_black_in_the_middle() -> None:
    made = whole(*stills(), "fade_through_black", 23)
    y, cb, cr = split(made[12])
    assert np.unique(y).tolist() == [16]
    assert np.unique(cb).tolist() == np.unique(cr).tolist() == [128]


def test_a_wipe_goes_from_left_to_right() -> None:
    first, second = stills()
    middle = luma(whole(first, second, "wipe", 23)[12])
    assert np.array_equal(middle[:, :40], luma(second)[:, :40])
    assert np.array_equal(middle[:, -40:], luma(first)[:, -40:])


def test_a_slide_pushes_to_the_left_by_fractions_of_a_pixel() -> None:
    ramp = np.tile(np.arange(96, dtype=np.uint8), (64, 1))
    first, second = (
        to_i420(np.stack([ramp] * 3, axis=2)),
        to_i420(np.full((64, 96, 3), 96, np.uint8)),
    )
    made = [luma(frame).astype(float) for frame in whole(first, second, "slide", 47)]
    slope = 219 / 255
    for index, frame in enumerate(made[1:-1], start=1):
        moved = 96 * ease(index / 48)
        seen = int(95 - moved)
        expected = 16 + slope * (np.arange(seen) + moved)
        assert np.abs(frame[5, :seen] - expected).max(initial=0) <= 1.0


def test_a_dissolve_begins_in_the_dark() -> None:
    first = to_i420(np.repeat(np.uint8([[20, 235]]), 32, axis=1).repeat(64, axis=0)[..., None]
                    .repeat(3, axis=2))  # fmt: skip
    second = to_i420(np.full((64, 64, 3), 128, np.uint8))
    early = luma(whole(first, second, "dissolve", 23)[8]).astype(int)
    dark, bright = np.abs(early - luma(first))[:, [5, 60]].max(axis=0)
    assert dark > 50 and bright == 0
