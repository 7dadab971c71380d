"""A story's stills into its frames: holds, motion, captions, transitions. Pure.

Frames are I420 planes; nothing here keeps more than two stills.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from engine.captions import Caption, put_on
from engine.motion import reach, see
from engine.planes import Frame
from engine.requests import MotionName
from engine.transitions import Transition


@dataclass(frozen=True)
class Shot:
    """One scene as it will be seen: its still, and for how many frames."""

    still: Frame
    frames: int
    fps: int
    motion: MotionName = "none"
    caption: Caption | None = None

    def frame(self, index: int) -> Frame:
        """Frame `index` of the hold, from 0; the same array while nothing changes."""
        way = index / (self.frames - 1) if self.frames > 1 else 0.0
        seen = see(self.still, self.motion, way, reach(self.frames / self.fps))
        return seen if self.caption is None else put_on(seen, self.caption)


def story_frames(
    shots: Iterable[Shot], transition: Transition, transition_frames: int
) -> Iterator[Frame]:
    """Yield every frame of a story: each shot held, a transition between neighbours.

    Where nothing moves, a held frame is the same array each time, so that a consumer can tell.
    """
    last: Frame | None = None
    for shot in shots:
        frame = shot.frame(0)
        if last is not None:
            yield from transition(last, frame, transition_frames)
        yield frame
        for index in range(1, shot.frames):
            if shot.motion != "none":
                frame = shot.frame(index)
            yield frame
        last = frame
