"""The engine: wires settings, queue, worker and store, and is all that the faces see.

Its surface (`submit`, `job`, `plan`, `status`, `close`) is what another backend would implement.
torch and diffusers are imported on the worker's thread, so that the service answers at once.
"""

import contextlib
import copy
import importlib.metadata
import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from engine import prompts
from engine.errors import (
    JobNotFound,
    ModelUnavailable,
    QueueFull,
    ResultGone,
    ShuttingDown,
)
from engine.estimate import Estimator
from engine.jobs import Job, JobState, Result
from engine.metadata import ModelFacts
from engine.queue import JobQueue
from engine.requests import SEED_MAX, ImageRequest, Request, VideoRequest
from engine.settings import Settings
from engine.store import Store
from engine.story import VideoPlan, duration_s, scene_prompt
from engine.worker import Drawer, HandOff, Worker

logger = logging.getLogger(__name__)

_JOBS_KEPT = 1000
_PLACES_EVERY_S = 1.0
_CLOSE_S = 7.0


@dataclass(frozen=True)
class Download:
    """Weights on their way from the hub, in bytes."""

    repo_id: str
    done: int = 0
    total: int = 0
    note: str = ""


@dataclass(frozen=True)
class EngineStatus:
    """What the engine is and does right now."""

    model_state: Literal["loading", "ready", "unavailable"]
    device: str
    """The device in use; "pending" until it is known."""
    facts: ModelFacts | None = None
    problem: ModelUnavailable | None = None
    download: Download | None = None
    waiting_tasks: int = 0
    running: bool = False
    measured_s: dict[str, float] = field(default_factory=dict)
    """Median seconds of a unit of work, by kind."""
    versions: dict[str, str] = field(default_factory=dict)


class Engine:
    """Makes pictures and story videos, one job at a time, for all faces."""

    def __init__(self, settings: Settings) -> None:
        """Open the data folder and begin to load the model in the background.

        Raises:
            OSError: the data folder cannot be made or written.
        """
        self.settings = settings
        self._store = Store(settings.data_dir)
        self._estimator = Estimator()
        self._queue = JobQueue(settings.max_queue)
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._lock = threading.Lock()
        self._status = EngineStatus("loading", "pending", versions=_versions())
        self._tokenizer: Any = None
        self._tokenizer_lock = threading.Lock()
        self._closing = threading.Event()
        self._places_at = 0.0
        self._places_lock = threading.Lock()
        self._pixels = _asked_pixels
        self._worker = Worker(self._queue, self._open_drawer, self._set_unavailable)
        self._worker.start()

    # The surface.

    def submit(self, request: Request, *, owner: str | None = None) -> Job:
        """Accept a request and return its job at once.

        Raises:
            QueueFull: too many image tasks wait; with the seconds until there is room.
            ModelUnavailable: there is no model to make it with.
            ShuttingDown: the engine is closing.
        """
        problem = self._status.problem
        if self._closing.is_set():
            raise ShuttingDown()
        if problem is not None:
            raise problem.without_frames()
        seed = secrets.randbelow(SEED_MAX + 1) if request.seed is None else request.seed
        job = Job(request, seed=seed, owner=owner, on_change=self._job_changed)
        with self._lock:
            self._jobs[job.id] = job
            self._forget_old_jobs()
        if not self._queue.put(job):
            with self._lock:
                del self._jobs[job.id]
            raise self._refusal(job)
        if self._status.problem is not None:  # the model failed between the check and the put
            self._fail_waiting()
        self._update_places()
        logger.info("job %s: queued, %d picture(s)", job.id, job.image_tasks)
        return job

    def job(self, job_id: str, *, owner: str | None = None) -> Job:
        """Find a job of this owner.

        Raises:
            JobNotFound: there is none, or it is somebody else's.
        """
        job = self._jobs.get(job_id)
        if job is None or job.owner != owner:
            raise JobNotFound("There is no job with this id.")
        return job

    def result(self, job: Job) -> Result:
        """The result of an ended job, its file known to be there.

        Raises:
            EngineError: why there is none.
        """
        result = job.result()
        if not result.path.is_file():
            raise ResultGone("The file of this job is no longer there.")
        return result

    def plan(self, request: VideoRequest) -> VideoPlan:
        """Tell what a story video will be and how long it will take, the queue included."""
        prompts_of_scenes = [scene_prompt(request.hero_description, s) for s in request.scenes]
        lengths = self._prompt_lengths(prompts_of_scenes)
        return VideoPlan(
            scenes_count=len(request.scenes),
            frames_per_scene=request.frames_per_scene,
            transition_frames=request.transition_frames,
            total_frames=request.total_frames,
            total_duration_seconds=round(duration_s(request), 3),
            fps=request.fps,
            resolution=f"{request.width}x{request.height}",
            estimated_generation_time_seconds=max(1, round(self.estimate_s(request))),
            scene_prompts=prompts_of_scenes,
            scene_tokens=None if lengths is None else [length.tokens for length in lengths],
            token_window=lengths[0].window if lengths else None,
        )

    def estimate_s(self, request: Request) -> float:
        """Seconds until a request submitted now would be done, the queue included."""
        return self._queue_s() + self._request_s(request)

    def status(self) -> EngineStatus:
        waiting = sum(job.image_tasks for job in self._queue.waiting())
        return replace(
            self._status,
            waiting_tasks=waiting,
            running=bool(self._worker.unfinished()),
            measured_s=self._estimator.measured(),
        )

    def stop_accepting(self) -> None:
        """Refuse new work and end what is under way; returns at once. For signal handlers."""
        self._closing.set()
        # On a thread of its own: the signal may have interrupted the holder of a lock.
        threading.Thread(target=self._end_jobs, name="closing").start()

    def close(self) -> None:
        """End everything within 10 seconds. Idempotent."""
        self._closing.set()
        self._end_jobs()
        self._worker.stop(ShuttingDown(), _CLOSE_S)

    def _end_jobs(self) -> None:
        reason = ShuttingDown()
        waiting = self._queue.close()
        self._worker.end_jobs(reason)
        for job in waiting:
            job.fail(reason)

    # The model.

    def _open_drawer(self, hand_off: HandOff) -> Drawer:
        start = time.monotonic()
        from engine import models, sampler  # takes seconds; not on the caller's thread
        from engine.production import Production

        self._set_status(device=str(models.choose_device(self.settings)))
        model = models.open_model(self.settings, self._downloading(self.settings.model))
        drawing = sampler.Sampler(model)
        drawer = Production(drawing, self._store, self._estimator, hand_off)
        self._tokenizer = copy.deepcopy(model.pipeline.tokenizer)
        self._pixels = drawer.drawn_pixels
        if model.device.type != "cpu":
            self._worker.allow_overlap()
        self._set_status(
            model_state="ready", device=drawer.facts.device, facts=drawer.facts, download=None
        )
        logger.info("model ready after %.1f s", time.monotonic() - start)
        if self.settings.model == "auto" and model.choice.folder == models.BUNDLED:
            threading.Thread(
                target=self._fetch_default, args=(models.DEFAULT_HUB_MODEL,), daemon=True
            ).start()
        return drawer

    def _fetch_default(self, repo_id: str) -> None:
        """Fetch the default hub model for the next start; never swaps it in now."""
        from engine import hub

        try:
            hub.download(repo_id, self._downloading(repo_id))
        except (hub.HubUnreachable, OSError) as err:
            logger.info("%s was not fetched for the next start: %s", repo_id, err)
            note = f"{repo_id} was not fetched: {err}"
        else:
            logger.info("%s is fetched and will be used from the next start", repo_id)
            note = f"{repo_id} is fetched and will be used from the next start."
        self._set_status(download=Download(repo_id, note=note))

    def _downloading(self, repo_id: str) -> Callable[[int, int], None]:
        told = -1

        def tell(done: int, total: int) -> None:
            nonlocal told
            tenth = 10 * done // max(1, total)
            self._set_status(download=Download(repo_id, done, total))
            if tenth > told:
                told = tenth
                logger.info("fetching %s: %d of %d MB", repo_id, done // 10**6, total // 10**6)

        return tell

    def _set_unavailable(self, problem: ModelUnavailable) -> None:
        logger.error("no model: %s %s", problem.message, problem.advice)
        problem = problem.without_frames()
        self._set_status(model_state="unavailable", problem=problem, download=None)
        self._fail_waiting()

    def _fail_waiting(self) -> None:
        assert self._status.problem is not None
        for job in self._queue.waiting():
            job.fail(self._status.problem)

    def _set_status(self, **changes: Any) -> None:
        with self._lock:
            self._status = replace(self._status, **changes)

    # The queue.

    def _job_changed(self, job: Job) -> None:
        """Hear of every change of every job; the place for a journal."""
        snapshot = job.snapshot()
        ended = snapshot.state.is_terminal
        if ended:
            self._queue.discard(job)
            if snapshot.state is not JobState.SUCCEEDED:
                self._store.discard(job.id)
        started = snapshot.progress.stage == "waiting"
        if ended or started or time.monotonic() - self._places_at > _PLACES_EVERY_S:
            self._update_places()

    def _update_places(self) -> None:
        with self._places_lock:  # one at a time, or an older view would overwrite a newer one
            self._places_at = time.monotonic()
            eta_s = self._running_s()
            for position, job in enumerate(self._queue.waiting()):
                eta_s += self._request_s(job.request)
                job.place(position, eta_s)

    def _refusal(self, job: Job) -> QueueFull | ShuttingDown:
        if self._closing.is_set():
            return ShuttingDown()
        waiting = self._queue.waiting()
        tasks = sum(ahead.image_tasks for ahead in waiting) + job.image_tasks
        until_room_s = self._running_s()
        for ahead in waiting:  # each leaves the queue when it starts
            tasks -= ahead.image_tasks
            if tasks <= self.settings.max_queue:
                break
            until_room_s += self._request_s(ahead.request)
        return QueueFull(
            f"The queue is full: at most {self.settings.max_queue} pictures may wait.",
            retry_after_s=max(1, round(until_room_s)),
        )

    def _forget_old_jobs(self) -> None:
        if len(self._jobs) > _JOBS_KEPT:
            ended = (job_id for job_id, job in self._jobs.items() if job.state.is_terminal)
            with contextlib.suppress(StopIteration):
                del self._jobs[next(ended)]

    # Time.

    def _queue_s(self) -> float:
        return self._running_s() + sum(
            self._request_s(job.request) for job in self._queue.waiting()
        )

    def _running_s(self) -> float:
        etas = [job.snapshot().progress.eta_s for job in self._worker.unfinished()]
        return sum(eta_s for eta_s in etas if eta_s is not None)

    def _request_s(self, request: Request) -> float:
        facts = self._status.facts
        own = None if facts is None else facts.guidance_scale
        guidance = request.guidance_scale or own
        guided = guidance is None or guidance > 1
        measured = self._estimator.knows("step")
        pixels = (self._pixels if measured else _asked_pixels)(request.width, request.height)
        image_s = self._estimator.image_s(request.num_inference_steps, pixels, guided)
        if isinstance(request, ImageRequest):
            return image_s
        frames_s = self._estimator.frames_s(request.total_frames, request.width * request.height)
        return len(request.scenes) * image_s + frames_s

    def _prompt_lengths(self, texts: list[str]) -> list[prompts.PromptLength] | None:
        if self._tokenizer is None:
            return None
        with self._tokenizer_lock:
            return [prompts.prompt_length(self._tokenizer, text) for text in texts]


def _asked_pixels(width: int, height: int) -> int:
    return width * height


def _versions() -> dict[str, str]:
    names = ("torch", "diffusers", "transformers", "gradio", "fastapi")
    return {name: importlib.metadata.version(name) for name in names}
