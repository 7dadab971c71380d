import weakref
from collections.abc import Iterator

import numpy as np
import pytest

from engine.captions import lay_out
from engine.frames import Shot, story_frames
from engine.planes import Frame, to_i420
from engine.transitions import crossfade
from tests.pictures import draw_picture
from tests.shots import tell


def noise(seed: int, shape: tuple[int, ...] = (24, 16)) -> Frame:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(
    ("scenes", "hold", "transition"), [(2, 1, 0), (2, 1, 1), (3, 72, 12), (5, 2, 7), (50, 1, 3)]
)
def test_a_story_has_its_frames_counted(scenes: int, hold: int, transition: int) -> None:
    stills = [noise(seed, (6, 4)) for seed in range(scenes)]
    count = sum(1 for _ in tell(stills, hold, transition))
    assert count == scenes * hold + (scenes - 1) * transition


def test_a_hold_yields_the_same_array_each_time() -> None:
    first, second = noise(1), noise(2)
    frames = list(tell([first, second], 3, 2))
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
    for _ in tell(stills(), 3, 2):
        most = max(most, sum(ref() is not None for ref in alive))
    assert len(alive) == 6
    assert most <= 2


def test_stills_are_asked_for_only_when_needed() -> None:
    asked = []

    def stills() -> Iterator[Frame]:
        for seed in range(3):
            asked.append(seed)
            yield noise(seed)

    frames = tell(stills(), 2, 1)
    next(frames), next(frames)
    assert asked == [0]
    next(frames)
    assert asked == [0, 1]


def test_scenes_may_be_held_for_different_times() -> None:
    first, second = noise(1), noise(2)
    frames = list(story_frames([Shot(first, 2, 24), Shot(second, 5, 24)], crossfade, 3))
    assert [frame is first for frame in frames] == [True] * 2 + [False] * 8
    assert [frame is second for frame in frames] == [False] * 5 + [True] * 5


def test_a_transition_goes_from_where_the_camera_stopped_to_where_it_starts() -> None:
    stills = [to_i420(draw_picture(64, 64, seed)) for seed in (1, 2)]
    shots = [Shot(still, 24, 24, "zoom_in") for still in stills]
    frames = list(story_frames(shots, crossfade, 12))
    assert np.array_equal(frames[0], stills[0]) and np.array_equal(frames[36], stills[1])
    between = list(crossfade(frames[23], frames[36], 12))
    assert all(np.array_equal(a, b) for a, b in zip(frames[24:36], between, strict=True))


def test_a_caption_is_on_every_frame_of_its_hold_and_does_not_move() -> None:
    still = to_i420(np.full((128, 256, 3), 90, np.uint8))
    plain = list(story_frames([Shot(still, 12, 24, "zoom_in")], crossfade, 0))
    caption = lay_out("a fox in the snow", 256, 128)
    shown = list(story_frames([Shot(still, 12, 24, "zoom_in", caption)], crossfade, 0))
    assert all(np.array_equal(frame, shown[0]) for frame in shown)
    assert not np.array_equal(shown[0], plain[0])
