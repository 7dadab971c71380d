"""The scenes of a story on their way into its film: put in as they are drawn, taken in order."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from pathlib import Path

from engine.jobs import CancelToken
from engine.metadata import ImageRecipe

_LOOK_S = 0.1


@dataclass(frozen=True)
class DrawnScene:
    """A scene whose picture is drawn and on its way to its file."""

    draw_s: float
    still: Future[Path]


class Reel:
    """Filled by the thread that draws a story, while another may make the film of it.

    Attributes:
        recipes: those of all scenes: they are known before anything is drawn.
        token: stops the film; it is set where the job's is.
        frames: how many the film has.
        waited_s: seconds that the film has waited for scenes.
    """

    def __init__(self, recipes: Sequence[ImageRecipe], token: CancelToken) -> None:
        """Prepare it, empty."""
        self.recipes = tuple(recipes)
        self.token = token
        self.frames = 0
        self.waited_s = 0.0
        self._scenes: list[DrawnScene] = []
        self._came = threading.Condition()

    @property
    def there(self) -> int:
        """How many scenes are there."""
        return len(self._scenes)

    @property
    def is_full(self) -> bool:
        return self.there == len(self.recipes)

    def add(self, scene: DrawnScene) -> None:
        """Put in the next scene."""
        with self._came:
            self._scenes.append(scene)
            self._came.notify_all()

    def draw_s(self) -> list[float]:
        """Seconds that each scene took, of those that are there."""
        return [scene.draw_s for scene in self._scenes]

    def still(self, index: int) -> Path:
        """The file of a scene, from 0, as soon as it is there.

        Raises:
            EngineError: why it could not be written, or the reason that the token was set with.
        """
        start = time.perf_counter()
        try:
            return self._still(index)
        finally:
            self.waited_s += time.perf_counter() - start

    def _still(self, index: int) -> Path:
        with self._came:
            while len(self._scenes) <= index:
                self.token.check()
                self._came.wait(_LOOK_S)
        still = self._scenes[index].still
        while not wait([still], _LOOK_S).done:
            self.token.check()
        self.token.check()  # who closes sets it, then drops the files that nobody has begun
        return still.result()
