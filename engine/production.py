"""One job on the device: draw its pictures, then hand on what is left to write.

Drawing happens on the caller's thread, which owns the device. Files are encoded through
`hand_off`, which decides whether that may overlap the next drawing (never on a CPU, where the
two would take each other's cores).
"""

import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from engine.assembly import DrawnScene, assemble
from engine.estimate import Estimator
from engine.jobs import Job
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
from engine.preview import Pace, encode_preview
from engine.records import KeptScene
from engine.requests import ImageRequest, ImageTask, VideoRequest, image_task
from engine.reuse import Reuse, still_name
from engine.rows import OnPreview, Picture, Render
from engine.sampler import Sampler, scheduler_name
from engine.snapshots import ImageResult, Preview, Result
from engine.store import Store
from engine.story import plan_scenes
from engine.worker import HandOff

logger = logging.getLogger(__name__)

_PREVIEW_SHARE = 0.05
Finish = Callable[[], Result]


def model_facts(sampler: Sampler) -> ModelFacts:
    """Describe the loaded model for recipes and status."""
    model = sampler.model
    return ModelFacts(
        name=model.choice.name,
        revision=model.choice.revision,
        reason=model.choice.reason,
        device=model.device.type,
        dtype=model.dtype_name,
        scheduler=scheduler_name(model),
        guidance_scale=model.defaults.guidance_scale,
        native_size=model.native_side,
        description=model.defaults.description,
    )


class Production:
    """Makes the result of one job at a time with one sampler."""

    def __init__(
        self,
        sampler: Sampler,
        store: Store,
        estimator: Estimator,
        hand_off: HandOff,
        journal: Journal | None = None,
    ) -> None:
        """Wire it up; without a journal every story is drawn from its first scene."""
        self.facts = model_facts(sampler)
        self._sampler = sampler
        self._store = store
        self._estimator = estimator
        self._hand_off = hand_off
        self._journal = journal
        self._reuse = None if journal is None else Reuse(journal, store, self._recipe)

    def drawn_pixels(self, width: int, height: int) -> int:
        """Pixels the model draws for a picture of the asked size: what time depends on."""
        drawn_width, drawn_height = drawn_size(width, height, self._sampler.model)
        return drawn_width * drawn_height

    def to_draw(self, request: VideoRequest, seed: int, owner: str | None) -> list[ImageTask]:
        """The pictures that a story needs beyond those that its owner has."""
        if self._reuse is None:
            return plan_scenes(request, seed)
        return self._reuse.missing(request, seed, owner)

    def draw(self, job: Job) -> Finish:
        """Draw all pictures of a job; what is left to do is returned, and needs no device."""
        if isinstance(job.request, ImageRequest):
            return self._draw_image(job, job.request)
        return self._draw_story(job, job.request)

    def _draw_image(self, job: Job, request: ImageRequest) -> Finish:
        picture, recipe = self._draw_task(job, image_task(request, job.seed), scene=1)

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

    def _draw_story(self, job: Job, request: VideoRequest) -> Finish:
        tasks = plan_scenes(request, job.seed)
        kept = {} if self._reuse is None else self._reuse.scenes(job, tasks)
        assembly_s = self._estimator.frames_s(
            request.total_frames, request.width * request.height, moving=request.moves
        )
        scenes: list[DrawnScene] = []
        for number, task in enumerate(tasks, start=1):
            job.token.check()
            if number in kept:
                steps = task.num_inference_steps
                job.report(stage="decoding", scene=number, step=steps, steps=steps)
                scenes.append(kept[number])
                continue
            to_draw = sum(later not in kept for later in range(number + 1, len(tasks) + 1))
            picture, recipe = self._draw_task(
                job, task, scene=number, to_draw=to_draw, after_s=assembly_s
            )
            write = partial(self._keep, job, number, still_name(number), picture, recipe)
            still = self._hand_off(write)
            if still.done():
                still.result()  # a full disk ends the story here, not after its last scene
            scenes.append(DrawnScene(recipe, picture.draw_s, still))
        return lambda: assemble(job, request, scenes, self._store, self._estimator)

    def _recipe(self, task: ImageTask) -> ImageRecipe:
        """The recipe of the picture that a task would give."""
        guidance = task.guidance_scale
        if guidance is None:
            guidance = self.facts.guidance_scale
        drawn = drawn_size(task.width, task.height, self._sampler.model)
        return image_recipe(task, self.facts, guidance, drawn)

    def _draw_task(
        self, job: Job, task: ImageTask, *, scene: int, to_draw: int = 0, after_s: float = 0.0
    ) -> tuple[Picture, ImageRecipe]:
        """Draw one picture, telling the job; `to_draw` follow it, and then work of `after_s`."""
        pixels = self.drawn_pixels(task.width, task.height)
        guided = self._is_guided(task)
        steps = task.num_inference_steps
        start = time.perf_counter()

        def tell(step: int) -> None:
            eta_s: float | None = None
            if self._estimator.knows("step") and (step < steps or self._estimator.knows("decode")):
                left_s = self._estimator.image_s(steps - step, pixels, guided)
                eta_s = left_s + to_draw * self._picture_s(task) + after_s
            elif 0 < step < steps:  # the very first picture: its own pace is all there is
                pace_s = (time.perf_counter() - start) / step
                eta_s = pace_s * (steps - step + to_draw * steps) + after_s
            stage = "denoising" if step < steps else "decoding"
            job.report(stage=stage, scene=scene, step=step, steps=steps, eta_s=eta_s)

        tell(0)
        previews = self._previews(job, task, scene)
        picture = self._sampler.generate(task, job.token, tell, previews)
        self._estimator.observe("step", pixels, picture.step_s * (1 if guided else 2))
        self._estimator.observe("decode", pixels, picture.decode_s)
        recipe = image_recipe(
            task,
            self.facts,
            picture.guidance_scale,
            (picture.drawn_width, picture.drawn_height),
        )
        return picture, recipe

    def _previews(self, job: Job, task: ImageTask, scene: int) -> OnPreview:
        """What shows a picture while it is drawn, if anyone watches and it costs little."""
        pace = Pace(_PREVIEW_SHARE)
        step = 0

        def show(render: Render) -> None:
            job.show(Preview(scene, step, encode_preview(render(), task.width, task.height)))

        def on_preview(render: Render) -> None:
            nonlocal step
            step += 1
            if job.is_watched:
                self._sampler.prepare_previews()
                pace.spend(lambda: show(render))

        return on_preview

    def _picture_s(self, task: ImageTask) -> float:
        pixels = self.drawn_pixels(task.width, task.height)
        return self._estimator.image_s(task.num_inference_steps, pixels, self._is_guided(task))

    def _is_guided(self, task: ImageTask) -> bool:
        return (task.guidance_scale or self.facts.guidance_scale) > 1

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
        kind = name.rsplit(".", 1)[-1]
        data = encode_image(picture.pixels, kind, recipe)  # type: ignore[arg-type]
        path = self._store.write(job.id, name, lambda part: part.write_bytes(data))
        pixels = picture.drawn_width * picture.drawn_height
        self._estimator.observe("still", pixels, time.perf_counter() - start)
        return path
