"""When work will be done: measured times, applied to requests and to those who wait."""

import threading
import time
from collections.abc import Callable

from engine.errors import EngineError
from engine.estimate import Estimator
from engine.jobs import Job
from engine.queue import JobQueue
from engine.requests import ImageRequest, ImageTask, Request, VideoRequest, image_task
from engine.snapshots import Progress, Terms
from engine.story import plan_scenes
from engine.timetable import Entry, Span, plan_spans

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
        self._most_rows, self._beside = 1, False
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
        most_rows: int = 1,
        beside: bool = False,
    ) -> None:
        """Take note of what only a loaded model can tell.

        Args:
            own_guidance: the model's own.
            pixels: those that it draws for a size.
            to_draw: the scenes of a story that its owner has no picture of.
            most_rows: how many pictures share a pass at most, and jobs are made at a time.
            beside: files are written while others are drawn; else nothing is drawn meanwhile.
        """
        self._most_rows, self._beside = most_rows, beside
        self._own_guidance, self._pixels, self._to_draw = own_guidance, pixels, to_draw

    def until_s(self, request: Request, scenes_to_draw: int | None = None) -> float:
        """Seconds until a request made now would be done, what is ahead of it included.

        Args:
            scenes_to_draw: of a story; all if nothing is said.
        """
        waiting = [
            *map(self._entry_of, self._queue.waiting()),
            self._entry(request, scenes_to_draw),
        ]
        return self._spans(waiting)[-1].end_s

    def work(self, job: Job) -> float:
        """How much a job has drawn, in pixels of rows of the U-Net times steps: for fair shares."""
        request = job.request
        rows = 2 if self._is_guided(request) else 1
        pixels = self._pixels(request.width, request.height)
        return job.image_tasks * rows * pixels * request.num_inference_steps

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

    def room_s(self, tasks: int, max_tasks: int) -> float:
        """Seconds until so many tasks fit into the queue."""
        waiting = self._queue.waiting()
        tasks += sum(ahead.image_tasks for ahead in waiting)
        spans = self._spans([self._entry_of(ahead) for ahead in waiting])
        begin_s = 0.0
        for ahead, span in zip(waiting, spans, strict=True):  # each leaves the queue as it begins
            if tasks <= max_tasks:
                break
            tasks, begin_s = tasks - ahead.image_tasks, span.begin_s
        return begin_s

    def tell_places(self, *, changed: bool = True) -> None:
        """Tell every waiting job its place and time; at most once a second if none `changed`."""
        if not changed and time.monotonic() - self._places_at <= _PLACES_EVERY_S:
            return
        with self._places_lock:  # one at a time, or an older view would overwrite a newer one
            self._places_at = time.monotonic()
            waiting = self._queue.waiting()
            spans = self._spans([self._entry_of(job) for job in waiting])
            for position, (job, span) in enumerate(zip(waiting, spans, strict=True)):
                job.place(position, span.end_s)

    @property
    def _together(self) -> bool:
        return self._most_rows > 1

    def _spans(self, waiting: list[Entry]) -> list[Span]:
        """When each that waits begins and ends, behind the jobs under way."""
        progress = [job.snapshot().progress for job in self._unfinished()]
        drawn = [one for one in progress if one.stage != "encoding" or not self._together]
        under_way = self._drawing(drawn)
        spans = plan_spans(under_way, waiting, most_rows=self._most_rows)[len(under_way) :]
        if self._beside or not self._together:
            return spans
        rest_s = sum(one.eta_s or 0.0 for one in progress if one.stage == "encoding")
        return [Span(span.begin_s + rest_s, span.end_s + rest_s) for span in spans]

    def _drawing(self, progress: list[Progress]) -> list[Entry]:
        """The jobs that use the device, by what they tell of the time left to each."""
        pictures = [one.scenes - max(1, one.scene) + 1 for one in progress]
        rows = [min(left, self._most_rows) for left in pictures]
        return [
            Entry.lasting(left, (one.eta_s or 0.0) * row / sum(rows))
            for one, left, row in zip(progress, pictures, rows, strict=True)
        ]

    def _entry_of(self, job: Job) -> Entry:
        request = job.request
        if isinstance(request, ImageRequest):
            return self._entry(request)
        return self._entry(request, self.scenes_to_draw(request, job.terms, job.seed))

    def _entry(self, request: Request, scenes_to_draw: int | None = None) -> Entry:
        asked = request.width * request.height
        if isinstance(request, ImageRequest):
            pictures, film_s = 1, 0.0
            around_s = self._estimator.around_s(request.format, asked)
        else:
            pictures = len(request.scenes) if scenes_to_draw is None else scenes_to_draw
            film_s = self._estimator.film_s(request)
            around_s = self._estimator.around_s("png", asked)

        def drawing_s(together: int) -> float:
            return pictures * self._picture_s(request, together)

        if self._beside:  # but for the last file
            return Entry(pictures, drawing_s, after_s=around_s + film_s)
        files_s = pictures * around_s + film_s
        return Entry(pictures, lambda together: drawing_s(together) + files_s)

    def _picture_s(self, request: Request, together: int) -> float:
        pixels = self._pixels if self._estimator.knows("step") else _asked_pixels
        return self._estimator.picture_s(
            request.num_inference_steps,
            pixels(request.width, request.height),
            guided=self._is_guided(request),
            together=together,
        )

    def _is_guided(self, request: Request) -> bool:
        scale = self._own_guidance if request.guidance_scale is None else request.guidance_scale
        return scale is None or scale > 1


def _asked_pixels(width: int, height: int) -> int:
    return width * height
