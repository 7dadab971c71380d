"""A job: one accepted request, from the queue to its result. No torch, no HTTP.

The engine writes to it, any number of followers read its immutable `snapshot()`. What must
outlive the process is told to a recorder before any follower can see it.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from engine.errors import DeadlinePassed, EngineError, JobCancelled, NotEnded
from engine.requests import Request
from engine.snapshots import (
    JobSnapshot,
    JobState,
    Outcome,
    Preview,
    Result,
    Terms,
    new_snapshot,
)

_NO_TERMS = Terms()
_WATCH_S = 3.0


class CancelToken:
    """Asks running work to stop; the work looks at it at every step, frame and block.

    Each token belongs to one job, so cancelling one never touches another. A part of a job may
    have a token of its own, which is set where the job's is.
    """

    def __init__(self, whole: "CancelToken | None" = None) -> None:
        self._reason: EngineError | None = None
        self._whole = whole

    def set(self, reason: EngineError) -> None:
        """Ask for a stop. The first reason given is kept."""
        if self._reason is None:
            self._reason = reason

    def check(self) -> None:
        """Raise the reason if a stop was asked for."""
        if self._reason is not None:
            raise self._reason.without_frames()
        if self._whole is not None:
            self._whole.check()

    @property
    def is_set(self) -> bool:
        return self._reason is not None or (self._whole is not None and self._whole.is_set)


Recorder = Callable[["Job", JobSnapshot, Outcome], None]


class Job:
    """One accepted request. Created by the engine only."""

    def __init__(
        self,
        request: Request,
        *,
        seed: int,
        terms: Terms = _NO_TERMS,
        snapshot: JobSnapshot | None = None,
        outcome: Outcome = (None, None),
        image_tasks: int | None = None,
        on_change: "Callable[[Job], None]" = lambda job: None,
        recorder: Recorder = lambda job, snapshot, outcome: None,
    ) -> None:
        """Make a queued job, or one that was written down.

        Args:
            seed: what to draw with; the request may have left it open.
            snapshot: where the job stands; without, it is new.
            image_tasks: how many pictures it must draw; all of them if nothing is said.
            on_change: called after every change of state or progress, on its thread.
            recorder: called with the coming snapshot and outcome before anyone sees a change
                of state. Where it raises an EngineError, the job fails with that.
        """
        self.request = request
        self.seed = seed
        self.terms = terms
        self._on_change = on_change
        self._recorder = recorder
        self.token = CancelToken()
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._wakers: set[Callable[[], object]] = set()
        self._result, self._error = outcome
        self._watched_until = 0.0
        self._preview: Preview | None = None
        self._snapshot = snapshot or new_snapshot(request)
        self.id = self._snapshot.id
        self.image_tasks = self._snapshot.progress.scenes if image_tasks is None else image_tasks
        """How many pictures this job draws: the unit in which the queue is bounded."""
        if self.state.is_terminal:
            self._done.set()

    @property
    def owner(self) -> str | None:
        return self.terms.owner

    @property
    def state(self) -> JobState:
        return self._snapshot.state

    @property
    def error(self) -> EngineError | None:
        """Why the job has no result; None while it runs and when it succeeded."""
        return self._error

    def snapshot(self) -> JobSnapshot:
        return self._snapshot

    def result(self) -> Result:
        """The result of a succeeded job.

        Raises:
            EngineError: the job failed or was cancelled; or it has not ended.
        """
        if self._error is not None:
            raise self._error.without_frames()  # raised afresh each time it is asked for
        if self._result is None:
            raise NotEnded("The job has not ended yet.")
        return self._result

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until the job has ended; False if the time passed first."""
        return self._done.wait(timeout_s)

    async def follow(self, interval_s: float = 0.1) -> AsyncIterator[JobSnapshot]:
        """Yield a snapshot at once, then one every `interval_s`; the last one, at once when the
        job ends, is terminal.

        One comes at every interval even when nothing changed, so that the caller can look
        whether its own client is still there.
        """
        while True:
            snapshot = self.snapshot()
            yield snapshot
            if snapshot.state.is_terminal:
                return
            await self.ended(interval_s)

    async def ended(self, within_s: float) -> None:
        """Let the event loop go on until the job has ended, or so much time has passed.

        It takes no lock: one is held while the journal is written.
        """
        loop, woken = asyncio.get_running_loop(), asyncio.Event()
        wake = partial(loop.call_soon_threadsafe, woken.set)
        self._wakers.add(wake)  # an end that is not seen below finds it here
        in_time = loop.call_later(within_s, woken.set)
        try:
            if not self._done.is_set():
                await woken.wait()
        finally:
            in_time.cancel()
            self._wakers.discard(wake)

    def watch(self) -> None:
        """Have `preview` filled in for the next seconds; without anyone watching, none are made."""
        self._watched_until = time.monotonic() + _WATCH_S

    @property
    def is_watched(self) -> bool:
        return time.monotonic() < self._watched_until

    @property
    def preview(self) -> Preview | None:
        """The latest one of the picture being drawn; None before the first and at the end."""
        return self._preview

    def cancel(self) -> JobState:
        """Ask for the end of the job; idempotent, returns the state after the call.

        A queued job ends at once; a running one within one denoising step or block.
        """
        self.token.set(JobCancelled("The job was cancelled."))
        self._end_without(JobState.QUEUED, JobCancelled("The job was cancelled before it began."))
        return self.state

    # What follows is for the engine.

    def expire(self) -> None:
        """End the job because its time has passed: at once if queued, else within a step."""
        self.token.set(reason := DeadlinePassed("The time given to this job has passed."))
        self._end_without(JobState.QUEUED, reason)

    def start(self) -> bool:
        """Queued to running; False if the job ended while it waited, or ends here."""
        try:
            return self._change(
                JobState.QUEUED, state=JobState.RUNNING, started_at=time.time(), queue_position=None
            )
        except EngineError as err:  # it could not be recorded
            self.fail(err)
            return False

    def report(self, **changes: object) -> None:
        """Update fields of the progress; ignored once the job has ended."""
        self._change(JobState.RUNNING, progress=changes)

    def show(self, preview: Preview) -> None:
        """Let those who watch see it; ignored once the job has ended."""
        with self._lock:
            if self._snapshot.state is JobState.RUNNING:
                self._preview = preview

    def place(self, position: int, eta_s: float) -> None:
        """Tell a queued job where it stands; the listener is not told."""
        progress: dict[str, object] = {"eta_s": eta_s}
        self._change(JobState.QUEUED, quiet=True, queue_position=position, progress=progress)

    def succeed(self, result: Result) -> None:
        """End well; ignored if the job has ended."""
        try:
            self._end(JobState.RUNNING, JobState.SUCCEEDED, result=result)
        except EngineError as err:  # it could not be recorded
            self.fail(err)

    def fail(self, error: EngineError) -> None:
        """End without a result: cancelled if `error` says so, else failed."""
        for state in (JobState.QUEUED, JobState.RUNNING):
            self._end_without(state, error)

    def _end_without(self, expected: JobState, error: EngineError) -> None:
        cancelled = isinstance(error, JobCancelled)
        state = JobState.CANCELLED if cancelled else JobState.FAILED
        self._end(expected, state, error=error.without_frames())

    def _end(
        self,
        expected: JobState,
        state: JobState,
        *,
        result: Result | None = None,
        error: EngineError | None = None,
    ) -> None:
        progress: dict[str, object] = {"eta_s": None}
        if error is None:
            progress = {"eta_s": 0.0, "stage": "done"}
        ended = self._change(
            expected,
            outcome=(result, error),
            progress=progress,
            state=state,
            finished_at=time.time(),
            queue_position=None,
        )
        if ended:
            self._done.set()
            for wake in self._wakers.copy():
                with suppress(RuntimeError):  # its event loop is closed
                    wake()

    def _change(
        self,
        expected: JobState,
        *,
        quiet: bool = False,
        outcome: Outcome | None = None,
        progress: dict[str, object] | None = None,
        **changes: object,
    ) -> bool:
        """Replace the snapshot if the state is the expected one; say whether it was."""
        with self._lock:
            old = self._snapshot
            if old.state is not expected:
                return False
            new_progress = replace(old.progress, **(progress or {}))  # type: ignore[arg-type]
            new = replace(
                old,
                version=old.version + 1,
                progress=new_progress,
                **changes,  # type: ignore[arg-type]
            )
            if new.state is not old.state:
                self._recorder(self, new, outcome or (None, None))
            if outcome is not None:
                self._result, self._error = outcome
                self._preview = None
            self._snapshot = new
        if not quiet:
            self._on_change(self)
        return True
