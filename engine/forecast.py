"""When work will be done: measured times, applied to requests and to those who wait."""

import threading
import time
from collections.abc import Callable

from engine.errors import EngineError
from engine.estimate import Estimator
from engine.jobs import Job
from engine.queue import JobQueue
from engine.requests import ImageRequest, ImageTask, Request, VideoRequest, image_task
from engine.snapshots import Terms
from engine.story import plan_scenes

_PLACES_EVERY_S = 1.0
ToDraw = Callable[[VideoRequest, int, str | None], list[ImageTask]]
"""A story, its seed and its owner to the pictures that must be drawn."""


class Forecast:
    """Seconds until things are done, and the place of every job that waits. Thread-safe."""

    def __init__(
        self, estimator: Estimator, queue: JobQueue, unfinished: Callable[[], list[Job]]
    ) -> None:
        """Begin with assumptions; `learn` says more once a model is loaded.

        Args:
            unfinished: the jobs under way.
        """
        self._estimator = estimator
        self._queue = queue
        self._unfinished = unfinished
        self._together = False
        self._own_guidance: float | None = None
        self._pixels: Callable[[int, int], int] = _asked_pixels
        self._to_draw: ToDraw = lambda request, seed, owner: plan_scenes(request, seed)
        self._places_at = 0.0
        self._places_lock = threading.Lock()

    def learn(
        self,
        own_guidance: float,
        pixels: Callable[[int, int], int],
        to_draw: ToDraw,
        *,
        together: bool = False,
    ) -> None:
        """Take note of what only a loaded model can tell.

        Args:
            own_guidance: the model's own.
            pixels: those that it draws for a size.
            to_draw: the scenes of a story that its owner has no picture of.
            together: jobs are drawn together, so that their times do not add up.
        """
        self._together = together
        self._own_guidance, self._pixels, self._to_draw = own_guidance, pixels, to_draw

    def request_s(self, request: Request, scenes_to_draw: int | None = None) -> float:
        """Seconds to make one request; without a number, all scenes of a story are drawn."""
        guidance = request.guidance_scale or self._own_guidance
        guided = guidance is None or guidance > 1
        measured = self._estimator.knows("step")
        pixels = (self._pixels if measured else _asked_pixels)(request.width, request.height)
        image_s = self._estimator.image_s(request.num_inference_steps, pixels, guided)
        if isinstance(request, ImageRequest):
            return image_s
        frames_s = self._estimator.frames_s(
            request.total_frames, request.width * request.height, moving=request.moves
        )
        drawn = len(request.scenes) if scenes_to_draw is None else scenes_to_draw
        return drawn * image_s + frames_s

    def scenes_to_draw(self, request: VideoRequest, terms: Terms, seed: int) -> int:
        """How many scenes of a story must be drawn on these terms.

        One after the other, what is on its way will be there when the story begins; together, the
        story may well begin before.
        """
        if not terms.reuse:
            return len(request.scenes)
        try:
            missing = self._to_draw(request, seed, terms.owner)
        except EngineError:  # an estimate must not end anybody's work
            return len(request.scenes)
        if self._together:
            return len(missing)
        coming = {
            image_task(job.request, job.seed)
            for job in (*self._queue.waiting(), *self._unfinished())
            if isinstance(job.request, ImageRequest) and job.owner == terms.owner
        }
        return sum(task not in coming for task in missing)

    def running_s(self) -> float:
        """Seconds until the jobs under way are done."""
        etas = [job.snapshot().progress.eta_s or 0.0 for job in self._unfinished()]
        return max(etas, default=0.0) if self._together else sum(etas)

    def queue_s(self) -> float:
        """Seconds until all that was accepted is done."""
        return self.running_s() + sum(map(self._job_s, self._queue.waiting()))

    def room_s(self, tasks: int, max_tasks: int) -> float:
        """Seconds until so many tasks fit into the queue."""
        waiting = self._queue.waiting()
        tasks += sum(ahead.image_tasks for ahead in waiting)
        until_room_s = self.running_s()
        for ahead in waiting:  # each leaves the queue when it starts
            tasks -= ahead.image_tasks
            if tasks <= max_tasks:
                break
            until_room_s += self._job_s(ahead)
        return until_room_s

    def tell_places(self, *, changed: bool = True) -> None:
        """Tell every waiting job its place and time; at most once a second if none `changed`."""
        if not changed and time.monotonic() - self._places_at <= _PLACES_EVERY_S:
            return
        with self._places_lock:  # one at a time, or an older view would overwrite a newer one
            self._places_at = time.monotonic()
            eta_s = self.running_s()
            for position, job in enumerate(self._queue.waiting()):
                eta_s += self._job_s(job)
                job.place(position, eta_s)

    def _job_s(self, job: Job) -> float:
        request = job.request
        if isinstance(request, ImageRequest):
            return self.request_s(request)
        return self.request_s(request, self.scenes_to_draw(request, job.terms, job.seed))


def _asked_pixels(width: int, height: int) -> int:
    return width * height
