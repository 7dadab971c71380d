"""The engine: wires settings, archive, queue and worker, and is all that the faces see.

Its surface (`submit`, `job`, `jobs`, `result`, `scenes`, `gallery`, `plan`, `prompt_length`,
`status`, `close`) is what another backend would implement.
torch and diffusers are imported on the worker's thread, so that the service answers at once.
"""

import copy
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Literal

from engine import heap
from engine.archive import Archive
from engine.errors import InvalidRequest, ModelUnavailable, QueueFull, ResultGone, ShuttingDown
from engine.estimate import Estimator
from engine.forecast import Forecast
from engine.gallery import Gallery
from engine.jobs import Job
from engine.prompts import PromptLength, PromptReading
from engine.queue import JobQueue
from engine.records import KeptScene
from engine.register import Register
from engine.requests import ImageRequest, Request, VideoRequest
from engine.settings import Settings
from engine.snapshots import JobSnapshot, JobState, Result, Terms
from engine.status import Download, EngineStatus, Readiness, versions
from engine.story import VideoPlan, duration_s, has_seeds, scene_prompt
from engine.timer import Later, Timer
from engine.worker import Drawer, HandOff, Worker

logger = logging.getLogger(__name__)

_CLOSE_S = 7.0
_TIDY_AFTER_S = 10.0


class Engine:
    """Makes pictures and story videos for all faces, several at a time where they share passes."""

    def __init__(self, settings: Settings, *, load_now: bool = True) -> None:
        """Open the data folder, go on with what waits there, load the model in the background.

        Args:
            load_now: False to have that wait for `load`; jobs are accepted meanwhile.

        Raises:
            OSError: the data folder cannot be made or written.
            CannotStart: another process uses it, or its journal cannot be used.
            StorageFull: the data folder has no room to begin.
        """
        self.settings = settings
        self._timer = Timer()
        self._archive = Archive(settings, self._timer)
        self._tidying = Later(self._timer, heap.give_back, wait_s=_TIDY_AFTER_S)
        self._estimator = Estimator()
        self._queue = JobQueue(settings.max_queue, lambda job: self._forecast.work(job))
        self._register = Register(
            self._archive,
            self._queue,
            self._timer,
            self._job_changed,
            lambda *story: self._forecast.scenes_to_draw(*story),
        )
        self._jobs = self._register.jobs
        self.gallery = Gallery(self._archive)
        self._lock = threading.Lock()
        self._status = EngineStatus("loading", "pending", versions=versions())
        self._reading: PromptReading | None = None
        self._reading_lock = threading.Lock()
        self._device_memory: Callable[[], int | None] = lambda: None
        self._programs: Callable[[], Readiness | None] = lambda: None
        self._closing = threading.Event()
        self._closers: list[threading.Thread] = []
        self._listeners: list[Callable[[Job], None]] = []
        self._worker = Worker(self._queue, self._open_drawer, self._set_unavailable)
        self._forecast = Forecast(self._estimator, self._queue, self._worker.unfinished)
        self._suspects = self._register.take_over()
        self._forecast.tell_places()
        if load_now:
            self.load()

    # The surface.

    def load(self) -> None:
        """Load the model in the background and make what waits; nothing if that has begun."""
        self._worker.start(alone=self._suspects)  # another death is then nobody else's fault

    def submit(
        self,
        request: Request,
        *,
        owner: str | None = None,
        client: str | None = None,
        attended: bool = False,
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
        reuse: bool = False,
    ) -> Job:
        """Accept a request and return its job at once; by then it is in the journal.

        Args:
            owner: who may see the job; None is the one local owner.
            client: whose turn it takes; clients that wait take turns.
            attended: the caller waits for it, and cancels it when it leaves. Such a job is not
                run again after a restart.
            idempotency_key: the same owner, key and request give the same job; unless that was
                attended and cancelled, for then its caller has come back.
            deadline_s: end it if it has not ended by itself so many seconds from now.
            reuse: do not draw a scene of which the owner has the very picture already.

        Raises:
            QueueFull: too many image tasks wait; with the seconds until there is room.
            ModelUnavailable: there is no model to make it with.
            KeyReused: the key came with another request before.
            StorageFull: it cannot be written down.
            ShuttingDown: the engine is closing.
            InvalidRequest: the deadline is not above 0.
        """
        if deadline_s is not None and not deadline_s > 0:
            raise InvalidRequest("deadline_s must be above 0.", advice="Allow some time.")
        terms = Terms(owner, client, attended, deadline_s, reuse)
        job = self._register.submit(request, terms, idempotency_key, self._check_accepting)
        if job is None:
            raise self._refusal(request)
        if self._closing.is_set():  # it closed between the check and the queue
            job.fail(ShuttingDown())
        if self._status.problem is not None:  # so did the model
            self._fail_waiting()
        self._forecast.tell_places()
        return job

    def job(self, job_id: str, *, owner: str | None = None) -> Job:
        """Find a job of this owner, ended ones and those of earlier processes included.

        Raises:
            JobNotFound: there is none, or it is somebody else's.
        """
        return self._register.find(job_id, owner)

    def live_job(self, job_id: str, *, owner: str | None = None) -> Job | None:
        """Find it among the live and the latest jobs, without a wait; `job` knows all of them."""
        return self._register.find_in_memory(job_id, owner)

    def jobs(
        self,
        *,
        owner: str | None = None,
        state: JobState | None = None,
        kind: Literal["image", "video"] | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> list[JobSnapshot]:
        """The jobs of this owner, newest first: at most `limit`, from the one after `after`.

        Raises:
            JobNotFound: there is no job `after`, or it is somebody else's.
        """
        return self._register.page(owner, state=state, kind=kind, limit=limit, after=after)

    def scenes(self, job_id: str, *, owner: str | None = None) -> list[KeptScene]:
        """The finished scenes of a story, in order, whether it has ended or not.

        Raises:
            JobNotFound: there is no such job, or it is somebody else's.
            ResultGone: there were some, but their files are no longer kept.
        """
        job = self.job(job_id, owner=owner)
        if isinstance(job.request, ImageRequest):
            return []
        scenes = self._archive.journal.scenes(job.id)
        if not all(scene.path.is_file() for scene in scenes):
            raise ResultGone("The scenes of this job are no longer there.")
        return scenes

    def result(self, job: Job) -> Result:
        """The result of an ended job, its file known to be there.

        Raises:
            EngineError: why there is none.
        """
        result = job.result()
        if not result.path.is_file():
            raise ResultGone("The file of this job is no longer there.")
        return result

    def plan(
        self, request: VideoRequest, *, owner: str | None = None, reuse: bool = False
    ) -> VideoPlan:
        """Tell what a story video will be and how long it will take, the queue included.

        Args:
            owner: whose story; see `submit`.
            reuse: it will be submitted so. Its seeds must be decided to find a scene again.
        """
        terms = Terms(owner=owner, reuse=reuse and has_seeds(request))
        to_draw = self._forecast.scenes_to_draw(request, terms, request.seed or 0)
        estimate_s = self._forecast.until_s(request, to_draw)
        prompts_of_scenes = [scene_prompt(request.hero_description, s) for s in request.scenes]
        lengths = self._prompt_lengths(prompts_of_scenes)
        return VideoPlan(
            scenes_count=len(request.scenes),
            scenes_to_draw=to_draw,
            frames_per_scene=request.frames_per_scene,
            scene_frames=request.scene_frames,
            transition_frames=request.frames_between,
            total_frames=request.total_frames,
            total_duration_seconds=round(duration_s(request), 3),
            fps=request.fps,
            resolution=f"{request.width}x{request.height}",
            estimated_generation_time_seconds=max(1, round(estimate_s)),
            scene_prompts=prompts_of_scenes,
            scene_tokens=None if lengths is None else [length.tokens for length in lengths],
            token_window=lengths[0].window if lengths else None,
            cuts_prompts=lengths[0].cuts if lengths else None,
        )

    def prompt_length(self, text: str) -> PromptLength | None:
        """How long a prompt is for the model's text encoder; None until there is a model."""
        lengths = self._prompt_lengths([text])
        return None if lengths is None else lengths[0]

    def estimate_s(self, request: Request) -> float:
        """Seconds until a request submitted now would be done, the queue included."""
        return self._forecast.until_s(request)

    def status(self) -> EngineStatus:
        return replace(
            self._status,
            waiting_tasks=self._queue.image_tasks,
            running=bool(self._worker.unfinished()),
            measured_s=self._estimator.measured(),
            device_memory_bytes=self._device_memory(),
            programs=self._programs(),
        )

    def listen(self, listener: Callable[[Job], None]) -> None:
        """Call `listener` at every change of every job, on the thread that made it."""
        self._listeners.append(listener)

    def stop_accepting(self) -> None:
        """Refuse new work and end what is under way; returns at once. For signal handlers."""
        self._closing.set()
        # On a thread of its own: the signal may have interrupted the holder of a lock.
        self._closers.append(threading.Thread(target=self._end_jobs, name="closing"))
        self._closers[-1].start()

    def close(self) -> None:
        """End everything within 10 seconds; unattended jobs go on in the next process. Idempotent.

        Callers in this process see them fail with ShuttingDown.
        """
        self._closing.set()
        self._end_jobs()
        self._worker.stop(ShuttingDown(), _CLOSE_S)
        for closer in self._closers:
            closer.join()
        self._timer.close()
        self._archive.close()

    def _end_jobs(self) -> None:
        reason = ShuttingDown()
        waiting = self._queue.close()
        self._worker.end_jobs(reason)
        for job in waiting:
            job.fail(reason)

    # The model.

    def _open_drawer(self, hand_off: HandOff) -> Drawer:
        start = time.monotonic()
        # Takes seconds; not on the caller's thread.
        from engine import choice, devices, graphs, memory, models, production
        from engine.sampler import Sampler
        from engine.stock import StockSampler

        self._set_status(device=str(devices.choose_device(self.settings)))
        model = models.open_model(self.settings, self._downloading)
        backend = graphs.choose_backend(model.device, self.settings)
        most = self.settings.pictures_at_once
        drawing = StockSampler(model) if model.family else Sampler(model, None, backend, most)
        drawer = production.Production(
            drawing,
            self._archive.store,
            self._estimator,
            hand_off,
            self._archive.journal,
            self._worker.begin_ahead,
        )
        facts = drawer.facts
        self._reading = copy.deepcopy(model.reading)
        self._forecast.learn(
            facts.guidance_scale,
            drawer.drawn_pixels,
            drawer.to_draw,
            most_rows=drawing.most_rows,
            beside=drawer.writes_beside,
        )
        self._device_memory = partial(memory.held_bytes, model.device)
        self._programs = lambda: drawing.programs
        if model.device.type != "cpu":
            self._worker.allow_overlap()
        if isinstance(drawing, Sampler) and drawing.most_rows > 1:
            self._worker.share(drawing)
        self._set_status(model_state="ready", device=facts.device, facts=facts, download=None)
        logger.info("model ready after %.1f s", time.monotonic() - start)
        if self.settings.model == "auto" and model.choice.is_bundled:
            threading.Thread(
                target=self._fetch_default, args=(choice.DEFAULT_HUB_MODEL,), daemon=True
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
        """Fail what waits; what an earlier process accepted waits for one with a model."""
        assert self._status.problem is not None
        for job in self._queue.waiting():
            if not self._register.is_inherited(job):
                job.fail(self._status.problem)

    def _set_status(self, **changes: Any) -> None:
        with self._lock:
            self._status = replace(self._status, **changes)

    # Jobs.

    def _check_accepting(self) -> None:
        if self._closing.is_set():
            raise ShuttingDown()
        if self._status.problem is not None:
            raise self._status.problem.without_frames()

    def _job_changed(self, job: Job) -> None:
        """Hear of every change of every job."""
        for listener in self._listeners:
            listener(job)
        snapshot = job.snapshot()
        ended = snapshot.state.is_terminal
        if ended:
            self._queue.discard(job)
            goes_on = isinstance(job.error, ShuttingDown) and not job.terms.attended
            has_files = snapshot.state is JobState.SUCCEEDED or job.terms.keep_scenes(snapshot.kind)
            if not has_files and not goes_on:
                self._archive.store.discard(job.id)
            self._archive.retain_soon()
            self._tidying.ask()
        started = snapshot.progress.stage == "waiting"
        self._forecast.tell_places(changed=ended or started)

    def _refusal(self, request: Request) -> QueueFull | ShuttingDown:
        if self._closing.is_set():
            return ShuttingDown()
        tasks = len(request.scenes) if isinstance(request, VideoRequest) else 1
        until_room_s = self._forecast.room_s(tasks, self.settings.max_queue)
        return QueueFull(
            f"The queue is full: at most {self.settings.max_queue} pictures may wait.",
            retry_after_s=max(1, round(until_room_s)),
        )

    def _prompt_lengths(self, texts: list[str]) -> list[PromptLength] | None:
        if self._reading is None:
            return None
        with self._reading_lock:
            return [self._reading.length(text) for text in texts]
