import weakref
from collections.abc import Iterator

import numpy as np
import pytest

from engine.frames import Frame, blend, crossfade, story_frames


def noise(seed: int, shape: tuple[int, ...] = (16, 16, 3)) -> Frame:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


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
    still = noise(1)
    assert all(np.array_equal(frame, still) for frame in crossfade(still, still, 7))


def test_a_crossfade_leaves_its_stills_alone() -> None:
    first, second = noise(1), noise(2)
    before = first.copy(), second.copy()
    list(crossfade(first, second, 3))
    assert np.array_equal(first, before[0]) and np.array_equal(second, before[1])


@pytest.mark.parametrize(
    ("scenes", "hold", "transition"), [(2, 1, 0), (2, 1, 1), (3, 72, 12), (5, 2, 7), (50, 1, 3)]
)
def test_a_story_has_its_frames_counted(scenes: int, hold: int, transition: int) -> None:
    stills = [noise(seed, (2, 2)) for seed in range(scenes)]
    count = sum(1 for _ in story_frames(stills, hold, transition))
    assert count == scenes * hold + (scenes - 1) * transition


def test_a_hold_yields_the_same_array_each_time() -> None:
    first, second = noise(1), noise(2)
    frames = list(story_frames([first, second], 3, 2))
    assert all(frame is first for frame in frames[:3])
    assert all(frame is second for frame in frames[5:])
    assert all(frame is not first and frame is not second for frame in frames[3:5])


def test_no_more_than_two_stills_are_kept() -> None:
    alive: list[weakref.ref[Frame]] = []

    def stills() -> Iterator[Frame]:
        for seed in range(6):
            still = noise(seed)
            alive.append(weakref.ref(still))
            yield still
            del still

    most = 0
    for _ in story_frames(stills(), 3, 2):
        most = max(most, sum(ref() is not None for ref in alive))
    assert len(alive) == 6
    assert most <= 2


def test_stills_are_asked_for_only_when_needed() -> None:
    asked = []

    def stills() -> Iterator[Frame]:
        for seed in range(3):
            asked.append(seed)
            yield noise(seed)

    frames = story_frames(stills(), 2, 1)
    next(frames), next(frames)
    assert asked == [0]
    next(frames)
    assert asked == [0, 1]
