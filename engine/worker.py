"""The one thread that owns the device.

diffusers pipelines keep state during a call, so everything that touches the model happens here:
opening it, and drawing one job after the other; or, where pictures of several jobs can share a
pass of the model, drawing for makers, threads that carry one job each. Files are encoded on other
threads.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, Protocol

from engine.crew import Crew
from engine.errors import EngineError, InternalError, ModelUnavailable
from engine.jobs import CancelToken, Job
from engine.makers import Makers
from engine.queue import JobQueue
from engine.requests import VideoRequest
from engine.snapshots import Result

logger = logging.getLogger(__name__)

_ENCODERS = 2
_FILMS_AHEAD = 2
"""Films begun before their scenes are all drawn: each holds an encoder while it waits."""

HandOff = Callable[[Callable[[], Any], CancelToken], "Future[Any]"]
Take = Callable[[], Job | None]
Rest = Callable[[], Result] | Future[Result]
"""What is left of a job that is drawn: to do, or under way on another thread."""


class Drawer(Protocol):
    """What draws jobs on the device; see `production.Production`."""

    def draw(self, job: Job) -> Rest:
        """Use the device; return what is left without it."""
        ...


class SharedDevice(Protocol):
    """What draws for several threads at once; see `sampler.Sampler`."""

    @property
    def most_rows(self) -> int:
        """How many pictures may share a pass."""
        ...

    def serve(self, on_ready: Callable[[], None], is_over: Callable[[], bool]) -> None:
        """Draw what others ask for, from `on_ready` on, on this thread, until `is_over`."""
        ...

    def wake(self) -> None:
        """Have it look again whether it is over."""
        ...

    def at_rest(self, check: Callable[[], None]) -> AbstractContextManager[None]:
        """A time in which it draws nothing; `check` is called while that has not come."""
        ...


class Worker:
    """Takes jobs from a queue and makes them: one at a time, or as many as share the device."""

    def __init__(
        self,
        queue: JobQueue,
        open_drawer: Callable[[HandOff], Drawer],
        on_unavailable: Callable[[ModelUnavailable], None],
    ) -> None:
        """Prepare a worker; `start` begins.

        Args:
            open_drawer: loads the model; called once, on the worker's thread.
            on_unavailable: told why when the model cannot be used; the worker then ends.
        """
        self._queue = queue
        self._open_drawer = open_drawer
        self._on_unavailable = on_unavailable
        self._thread = threading.Thread(target=self._run, name="device", daemon=True)
        self._encoders = Crew("encoder", _ENCODERS)
        self._assemblers = Crew("assembler", 1)  # of its own: a film takes long
        self._ahead = Crew("ahead", _FILMS_AHEAD, _FILMS_AHEAD)
        self._device_in_use = threading.Lock()
        self._overlap = False
        self._shared: SharedDevice | None = None
        self._alone: deque[Job] = deque()
        self._nothing_beside = threading.Lock()
        self._unfinished: set[Job] = set()
        self._unfinished_lock = threading.Lock()
        self._ending: EngineError | None = None

    def start(self, alone: Iterable[Job] = ()) -> None:
        """Begin to make what is in the queue; those named first, with nothing beside them.

        Nothing, if it has begun.
        """
        if self._thread.ident is None:
            self._alone.extend(alone)
            self._thread.start()

    def unfinished(self) -> list[Job]:
        """Jobs taken from the queue that have not ended."""
        with self._unfinished_lock:
            return list(self._unfinished)

    def end_jobs(self, reason: EngineError) -> None:
        """Ask the jobs under way, and any still taken from the queue, to end; returns at once."""
        with self._unfinished_lock:
            self._ending = reason
            for job in self._unfinished:
                job.token.set(reason)

    def stop(self, reason: EngineError, timeout_s: float) -> None:
        """End the jobs under way with `reason` and wait for the thread; the queue is closed."""
        self.end_jobs(reason)
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        if self._thread.is_alive():
            logger.error("the device did not come free within %.0f s", timeout_s)
        for crew in (self._encoders, self._assemblers, self._ahead):
            crew.shutdown(wait=not self._thread.is_alive())
        for job in self.unfinished():  # drawn but never encoded, or stuck on the device
            self._end(job, reason)

    def allow_overlap(self) -> None:
        """Let encoding run beside the next drawing: for devices that are not the CPU."""
        self._overlap = True

    def begin_ahead(self, work: Callable[[], Any]) -> "Future[Any] | None":
        """Begin what waits for drawing beside it; None without overlap or with no thread free."""
        return self._ahead.take_if_free(work) if self._overlap else None

    def share(self, device: SharedDevice) -> None:
        """Have as many jobs made at a time as may share a pass; to be called while opening."""
        self._shared = device

    def _run(self) -> None:
        try:
            drawer = self._open_drawer(self._hand_off)
            if self._shared is None:
                self._make_jobs(drawer, self._queue.take)
            else:
                self._serve_makers(drawer, self._shared)
        except ModelUnavailable as err:
            self._on_unavailable(err)
        except BaseException as err:  # a library may even raise SystemExit
            logger.exception("the model cannot be used")
            self._on_unavailable(
                ModelUnavailable(
                    f"The model cannot be used ({type(err).__name__}).",
                    advice="The log has the details.",
                )
            )

    def _serve_makers(self, drawer: Drawer, device: SharedDevice) -> None:
        """Let makers carry the jobs, and draw for them until the last has ended."""

        def make(stories: bool) -> None:
            self._make_jobs(drawer, partial(self._queue.take, stories=stories))

        makers = Makers(device.most_rows, make, device.wake)
        device.serve(makers.start, lambda: makers.have_ended)
        makers.join()

    def _make_jobs(self, drawer: Drawer, take: Take) -> None:
        with self._nothing_beside:  # the other makers wait here for the first one
            alone = self._take_alone()
            self._make_all(lambda: next(alone, None), drawer)
        self._make_all(take, drawer)

    def _take_alone(self) -> Iterator[Job]:
        """The jobs to be made alone, each when the one before has ended."""
        while self._alone:
            job = self._alone.popleft()
            self._queue.discard(job)
            yield job
            job.wait()

    def _make_all(self, take: Take, drawer: Drawer) -> None:
        while not self._is_served(take, drawer):
            logger.error("the %s thread stumbled and goes on", threading.current_thread().name)

    def _is_served(self, take: Take, drawer: Drawer) -> bool:
        """Make jobs until there are no more; False if something broke out of that."""
        job = None
        try:
            while (job := take()) is not None:
                self._make(job, drawer)
        except BaseException as err:
            logger.exception("broken out of the making of jobs")
            if job is not None:
                self._end(job, err)
            return False
        return True

    def _make(self, job: Job, drawer: Drawer) -> None:
        with self._unfinished_lock:
            self._unfinished.add(job)
            if self._ending is not None:
                job.token.set(self._ending)
        if not job.start():
            self._forget(job)
            return
        logger.info("job %s: started", job.id)
        try:
            self._bring_to_end(job, self._use_device(drawer, job))
        except BaseException as err:  # a library's SystemExit must not end this thread
            self._end(job, err)

    def _bring_to_end(self, job: Job, rest: Rest) -> None:
        """Do what is left, or be told when it is done."""

        def end(made: "Future[Result]") -> None:
            if not made.cancelled():  # else it never began, and `stop` ends the job
                self._finish(job, made.result)

        if isinstance(rest, Future):
            rest.add_done_callback(end)
            return
        is_film = isinstance(job.request, VideoRequest)
        crew = self._assemblers if is_film else self._encoders
        self._hand_over(crew, lambda: self._finish(job, rest), job.token)

    def _use_device(self, drawer: Drawer, job: Job) -> Rest:
        if self._shared is not None:
            return drawer.draw(job)  # it waits for the device's thread
        if not self._device_in_use.acquire(blocking=False):
            raise RuntimeError("two jobs on one device at once")
        try:
            return drawer.draw(job)
        finally:
            self._device_in_use.release()

    def _hand_off(self, work: Callable[[], Any], token: CancelToken) -> "Future[Any]":
        """Run `work` on an encoder thread; without overlap, wait until it is done."""
        return self._hand_over(self._encoders, work, token)

    def _hand_over(self, crew: Crew, work: Callable[[], Any], token: CancelToken) -> "Future[Any]":
        if self._overlap:
            return crew.take(work, token)
        with nullcontext() if self._shared is None else self._shared.at_rest(token.check):
            future = crew.take(work, token)
            future.exception()
        return future

    def _finish(self, job: Job, finish: Callable[[], Result]) -> None:
        try:
            job.succeed(finish())
        except BaseException as err:
            self._end(job, err)
        else:
            self._forget(job)
            logger.info("job %s: %s", job.id, job.state)

    def _end(self, job: Job, err: BaseException) -> None:
        if isinstance(err, EngineError):
            logger.info("job %s: %s: %s", job.id, err.code, err.message)
            job.fail(err)
        else:
            logger.error("job %s: internal error", job.id, exc_info=err)
            job.fail(InternalError("Something unforeseen happened while making this."))
        self._forget(job)

    def _forget(self, job: Job) -> None:
        with self._unfinished_lock:
            self._unfinished.discard(job)
