"""Scenes that need no drawing: the very picture is there, made exactly as it would be now."""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

from PIL import Image

from engine.jobs import Job
from engine.journal import Journal
from engine.metadata import ImageRecipe, read_recipe
from engine.records import KeptScene
from engine.reel import DrawnScene
from engine.requests import ImageTask, VideoRequest
from engine.store import Store
from engine.story import plan_scenes

logger = logging.getLogger(__name__)


class Reuse:
    """Finds pictures by their recipe. Thread-safe."""

    def __init__(
        self, journal: Journal, store: Store, recipe_of: Callable[[ImageTask], ImageRecipe]
    ) -> None:
        """Wire it up; `recipe_of` tells the recipe of the picture that a task would give."""
        self._journal = journal
        self._store = store
        self._recipe_of = recipe_of

    def scenes(self, job: Job, tasks: list[ImageTask]) -> dict[int, DrawnScene]:
        """The scenes of a story that are there, by number, from 1; their files are the job's own.

        They come from an earlier run of the job; and where its terms say so, from whatever its
        owner has made.
        """
        own = {scene.number: scene for scene in self._journal.scenes(job.id)}
        found = {}
        for number, task in enumerate(tasks, start=1):
            job.token.check()
            recipe = self._recipe_of(task)
            scene = own.get(number)
            if scene is None or scene.recipe != recipe or not _is_whole(scene):
                scene = self._from_elsewhere(job, number, recipe) if job.terms.reuse else None
            if scene is not None:
                still: Future[Path] = Future()
                still.set_result(scene.path)
                found[number] = DrawnScene(scene.draw_s, still)
        if found:
            logger.info("job %s: %d scene(s) are drawn already", job.id, len(found))
        return found

    def missing(self, request: VideoRequest, seed: int, owner: str | None) -> list[ImageTask]:
        """The scenes of a story that its owner has no picture of; no file is looked into."""

        def is_there(task: ImageTask) -> bool:
            like = self._journal.pictures_like(owner, self._recipe_of(task))
            return any(scene.path.is_file() for scene in like)

        return [task for task in plan_scenes(request, seed) if not is_there(task)]

    def _from_elsewhere(self, job: Job, number: int, recipe: ImageRecipe) -> KeptScene | None:
        """Copy a picture into this job, which then stands on its own."""
        like = filter(_is_whole, self._journal.pictures_like(job.owner, recipe))
        scene = next(like, None)
        if scene is None:
            return None
        try:
            data = scene.path.read_bytes()
        except OSError:  # it was deleted just now, or cannot be read: then it is drawn
            return None
        name = still_name(number)
        path = self._store.write(job.id, name, lambda part: part.write_bytes(data))
        taken = replace(scene, number=number, path=path)
        self._journal.keep_scene(job.id, taken)
        return taken


def still_name(number: int) -> str:
    """What the file of a scene is called; scenes count from 1."""
    return f"scene-{number:02}.png"


def _is_whole(scene: KeptScene) -> bool:
    """Whether the file of a scene is there, readable, and what the journal says it is."""
    try:
        with Image.open(scene.path) as picture:
            picture.load()
            return read_recipe(picture) == scene.recipe
    except (OSError, SyntaxError, ValueError):  # what Pillow raises for damaged files
        return False
