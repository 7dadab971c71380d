"""When the film of a story is made: beside the drawing of its later scenes, or after the last.

A film that waits for scenes holds a thread, an encoder and the frames in that. So few may, and on
threads of their own: no film whose scenes are all there ever waits for one whose are not, however
many stories are drawn at a time. A story that finds no such thread free asks again at its next
scene, and is filmed like any other after its last. A film waits for nothing but its own scenes,
and no drawing waits for a film but to see it stopped; so neither can hold up the other for ever.
"""

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from functools import partial
from typing import Any

from engine.errors import InternalError
from engine.estimate import Estimator
from engine.reel import DrawnScene, Reel
from engine.requests import VideoRequest
from engine.snapshots import Result

Begin = Callable[[Callable[[], Any]], "Future[Any] | None"]
"""Begins some work at once beside the drawing; None where that may not be, or nobody is free."""
_FIRST = 2
"""Scenes that must be there: before the second, a film has but one hold to write."""


def never(work: Callable[[], Any]) -> None:
    """Begin no film before its last scene is drawn."""


class Film:
    """Fills the reel of a story, on the thread that draws it, and has its film made.

    To be left as a context: where the drawing fails, the film that has begun is stopped, and gone
    when the context ends.
    """

    def __init__(
        self,
        reel: Reel,
        request: VideoRequest,
        make: Callable[[], Result],
        begin: Begin,
        estimator: Estimator,
    ) -> None:
        """Prepare it; `make` makes the film, taking from the reel what it needs."""
        self._reel = reel
        self._make = make
        self._begin = begin
        self._made: Future[Result] | None = None
        self._total_frames = request.total_frames
        self._last_frames = request.frames_between + request.scene_frames[-1]
        self._film_s = partial(estimator.film_s, request)

    def add(self, scene: DrawnScene) -> None:
        """Put the next scene on the reel.

        Raises:
            EngineError: why it could not be written, or the film could not go on: the story ends
                here, not after its last scene.
        """
        if scene.still.done():
            scene.still.result()
        self._reel.add(scene)
        if self._made is not None and self._made.done():
            self._made.result()
        elif self._made is None and self._reel.there >= _FIRST and not self._reel.is_full:
            self._made = self._begin(self._make)

    def __enter__(self) -> "Film":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._reel.token.set(InternalError("A scene of the story could not be drawn."))
            if self._made is not None:
                with suppress(CancelledError):
                    self._made.exception()

    def rest(self) -> "Callable[[], Result] | Future[Result]":
        """What is left when all scenes are drawn: a film to make, or one that is being made."""
        return self._make if self._made is None else self._made

    def ends_in_s(self, drawn_in_s: float) -> float:
        """Seconds until the film is there, if all scenes are drawn in so many."""
        film_s = self._film_s()
        if self._made is None:
            return drawn_in_s + film_s
        after_drawing_s = film_s * self._last_frames / self._total_frames
        left_s = film_s * (1 - self._reel.frames / self._total_frames)
        return max(drawn_in_s + after_drawing_s, left_s)
