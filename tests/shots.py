"""The plain story: every still held as long, a crossfade between neighbours."""

from collections.abc import Iterable, Iterator

from engine.frames import Shot, story_frames
from engine.planes import Frame
from engine.transitions import crossfade


def tell(stills: Iterable[Frame], hold: int, fade: int) -> Iterator[Frame]:
    return story_frames((Shot(still, hold, 24) for still in stills), crossfade, fade)
