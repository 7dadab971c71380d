"""One job on the device: draw its pictures, then hand on what is left to write.

The caller's thread owns the device; or where pictures share passes, waits for the one that does.
Files are encoded through `hand_off`, which decides whether that may overlap the next drawing
(never on a CPU, where the two would take each other's cores); so does who begins films.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from engine.assembly import assemble
from engine.errors import InternalError
from engine.estimate import Estimator, File
from engine.film import Begin, Film, never
from engine.jobs import CancelToken, Job
from engine.journal import Journal
from engine.latents import drawn_size
from engine.metadata import (
    MEDIA_TYPES,
    ImageRecipe,
    ModelFacts,
    encode_image,
    image_recipe,
    parameters_text,
)
from engine.models import LoadedModel
from engine.preview import Pace
from engine.records import KeptScene
from engine.reel import DrawnScene, Reel
from engine.requests import ImageRequest, ImageTask, VideoRequest, image_task
from engine.reuse import Reuse, still_name
from engine.rows import Order, Picture, PictureSampler, Row
from engine.snapshots import ImageResult
from engine.store import Store
from engine.story import plan_scenes
from engine.telling import PictureWork, Telling
from engine.worker import HandOff, Rest

logger = logging.getLogger(__name__)

_PREVIEW_SHARE = 0.05


def model_facts(model: LoadedModel) -> ModelFacts:
    """Describe the loaded model for recipes and status."""
    decoder = model.decoder
    return ModelFacts(
        name=model.choice.name,
        revision=model.choice.revision,
        reason=model.choice.reason,
        device=model.device.type,
        dtype=model.dtype_name,
        scheduler=model.scheduler_name,
        guidance_scale=model.defaults.guidance_scale,
        native_size=model.native_side,
        description=model.defaults.description,
        decoder=None if decoder is None else decoder.name,
        decoder_revision=None if decoder is None else decoder.revision,
    )


class Production:
    """Makes the results of jobs with one sampler; several at a time where it is served."""

    def __init__(
        self,
        sampler: PictureSampler,
        store: Store,
        estimator: Estimator,
        hand_off: HandOff,
        journal: Journal | None = None,
        begin_film: Begin = never,
    ) -> None:
        """Wire it up; without a journal every story is drawn from its first scene.

        Args:
            begin_film: begins a film while its later scenes are drawn, if it can.
        """
        self.facts = model_facts(sampler.model)
        self._sampler = sampler
        self._store = store
        self._estimator = estimator
        self._hand_off = hand_off
        self._begin_film = begin_film
        self._journal = journal
        self._pace = Pace(_PREVIEW_SHARE)
        self._stories = 0
        self._counting = threading.Lock()
        self._reuse = None if journal is None else Reuse(journal, store, self._recipe)

    @property
    def writes_beside(self) -> bool:
        """Whether files are written while pictures of others are drawn."""
        return self._sampler.most_rows > 1 and self._sampler.model.device.type != "cpu"

    def drawn_pixels(self, width: int, height: int) -> int:
        """Pixels the model draws for a picture of the asked size: what time depends on."""
        drawn_width, drawn_height = drawn_size(width, height, self._sampler.model)
        return drawn_width * drawn_height

    def to_draw(self, request: VideoRequest, seed: int, owner: str | None) -> list[ImageTask]:
        """The pictures that a story needs beyond those that its owner has."""
        if self._reuse is None:
            return plan_scenes(request, seed)
        return self._reuse.missing(request, seed, owner)

    def draw(self, job: Job) -> Rest:
        """Draw all pictures of a job; what is left is returned, and needs no device."""
        if isinstance(job.request, ImageRequest):
            return self._draw_image(job, job.request)
        return self._draw_story(job, job.request)

    def _draw_image(self, job: Job, request: ImageRequest) -> Rest:
        task = image_task(request, job.seed)
        picture = self._draw_task(job, 1, task, self._telling(job, task, [1], request.format))
        recipe = self._recipe(task)

        def finish() -> ImageResult:
            job.report(stage="encoding")
            name = f"image.{request.format}"
            if request.format == "png":  # it can be a scene of a story
                path = self._keep(job, 1, name, picture, recipe)
            else:
                path = self._write_still(job, name, picture, recipe)
            return ImageResult(
                path=path,
                media_type=MEDIA_TYPES[request.format],
                seed=recipe.seed,
                guidance_scale=recipe.guidance_scale,
                parameters=parameters_text(recipe),
            )

        return finish

    def _draw_story(self, job: Job, request: VideoRequest) -> Rest:
        tasks = plan_scenes(request, job.seed)
        kept = {} if self._reuse is None else self._reuse.scenes(job, tasks)
        to_draw = {n: task for n, task in enumerate(tasks, start=1) if n not in kept}
        reel = Reel([self._recipe(task) for task in tasks], CancelToken(job.token))
        make = partial(assemble, job, request, reel, self._store, self._estimator)
        film = Film(reel, request, make, self._begin_film, self._estimator)
        telling = self._telling(job, tasks[0], to_draw, "png", film.ends_in_s)
        with film, closing(self._draw_scenes(job, to_draw, telling)) as pictures:
            for number, task in enumerate(tasks, start=1):
                job.token.check()
                if number in kept:
                    telling.kept(number)
                    film.add(kept[number])
                    continue
                picture, recipe = next(pictures), self._recipe(task)
                write = partial(self._keep, job, number, still_name(number), picture, recipe)
                film.add(DrawnScene(picture.draw_s, self._hand_off(write, job.token)))
        return film.rest()

    def _recipe(self, task: ImageTask) -> ImageRecipe:
        """The recipe of the picture that a task would give."""
        drawn = drawn_size(task.width, task.height, self._sampler.model)
        return image_recipe(task, self.facts, self._guidance_of(task), drawn)

    def _draw_scenes(
        self, job: Job, tasks: dict[int, ImageTask], telling: Telling
    ) -> Generator[Picture, None, None]:
        """Draw scenes in their order: one after the other, or as many together as share a pass."""
        if self._sampler.most_rows == 1:
            for number, task in tasks.items():
                yield self._draw_task(job, number, task, telling)
            return
        token = CancelToken(job.token)
        waiting, rows = deque(tasks), deque[tuple[int, Row]]()

        def begin_some() -> int:
            some = [waiting.popleft() for _ in range(min(len(waiting), self._most_begun()))]
            orders = [self._order(job, number, tasks[number], telling, token) for number in some]
            rows.extend(zip(some, self._sampler.begin_all(orders), strict=True))
            return len(some)

        self._count_stories(+1)
        try:
            begun = begin_some()
            while rows:
                number, row = rows.popleft()
                picture = row.result()
                if waiting and len(rows) < begun:  # those that were begun together end together
                    begun = begin_some()
                yield self._drawn(number, picture, telling)
        finally:
            self._count_stories(-1)
            token.set(InternalError("Another scene of the story could not be drawn."))

    def _most_begun(self) -> int:
        """How many scenes one story begins together; fewer than twice as many are in memory."""
        most_rows = self._sampler.most_rows
        return min(most_rows, max(2, 2 * most_rows // max(1, self._stories)))

    def _count_stories(self, change: int) -> None:
        with self._counting:
            self._stories += change

    def _draw_task(self, job: Job, number: int, task: ImageTask, telling: Telling) -> Picture:
        order = self._order(job, number, task, telling, job.token)
        return self._drawn(number, self._sampler.generate(order), telling)

    def _order(
        self, job: Job, number: int, task: ImageTask, telling: Telling, token: CancelToken
    ) -> Order:
        """Tell that a picture begins; return the order for it."""
        telling.step(number, 0)
        previews = telling.previews(number, self._sampler.prepare_previews)
        return Order(task, token, partial(telling.step, number), previews, job.terms.client)

    def _drawn(self, number: int, picture: Picture, telling: Telling) -> Picture:
        """Take note of a picture, and of the time it took."""
        telling.drawn(number)
        pixels = picture.drawn_width * picture.drawn_height
        self._estimator.observe("step", picture.pass_rows * pixels, picture.pass_s)
        self._estimator.observe("decode", pixels, picture.decode_s)
        self._estimator.observe("rest", picture.pixels[..., 0].size, picture.rest_s)
        return picture

    def _telling(
        self,
        job: Job,
        task: ImageTask,
        numbers: Iterable[int],
        file: File,
        ends_in_s: Callable[[float], float] = lambda drawn_in_s: drawn_in_s,
    ) -> Telling:
        pixels = self.drawn_pixels(task.width, task.height)
        work = PictureWork(task, pixels, self._guidance_of(task) > 1, file)
        return Telling(
            job,
            numbers,
            work,
            self._estimator,
            pace=self._pace,
            most_rows=self._sampler.most_rows,
            beside=self.writes_beside,
            ends_in_s=ends_in_s,
        )

    def _guidance_of(self, task: ImageTask) -> float:
        """The scale that a task is drawn with: its own, else the model's."""
        return self._sampler.model.defaults.guidance_for(task.guidance_scale)

    def _keep(
        self, job: Job, number: int, name: str, picture: Picture, recipe: ImageRecipe
    ) -> Path:
        """Write a PNG, and write down that it is there."""
        path = self._write_still(job, name, picture, recipe)
        if self._journal is not None:
            self._journal.keep_scene(job.id, KeptScene(number, recipe, path, picture.draw_s))
        return path

    def _write_still(self, job: Job, name: str, picture: Picture, recipe: ImageRecipe) -> Path:
        job.token.check()
        start = time.perf_counter()
        kind: Any = name.rsplit(".", 1)[-1]
        data = encode_image(picture.pixels, kind, recipe)
        path = self._store.write(job.id, name, lambda part: part.write_bytes(data))
        pixels = recipe.width * recipe.height
        self._estimator.observe(kind, pixels, time.perf_counter() - start)
        return path
