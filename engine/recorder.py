"""What of a job's life goes into the journal, and when."""

import logging
import threading
from collections.abc import Callable
from functools import partial

from engine.errors import EngineError, JobCancelled, ShuttingDown
from engine.jobs import Job
from engine.journal import Journal
from engine.snapshots import JobSnapshot, JobState, Outcome
from engine.store import Store

logger = logging.getLogger(__name__)


class Recorder:
    """Writes every change of state down before anyone sees it; see `jobs.Recorder`."""

    def __init__(self, journal: Journal, store: Store) -> None:
        self._journal = journal
        self._store = store
        self._owed: dict[str, Callable[[], None]] = {}
        self._owed_lock = threading.Lock()

    def __call__(self, job: Job, snapshot: JobSnapshot, outcome: Outcome) -> None:
        """Record a coming change.

        An end without a result is never refused: where it cannot be written, the job ends all
        the same, and it is written as soon as the disk lets us.

        Raises:
            StorageFull: it cannot be written, so it must not happen.
        """
        result, error = outcome
        if error is not None:
            self._end(job, partial(self._write_end, job, snapshot, error))
            return
        self.settle()
        if result is not None:
            assert snapshot.finished_at is not None
            size = self._store.size(job.id)
            self._journal.succeed(job.id, snapshot.finished_at, result, size)
        elif snapshot.state is JobState.RUNNING:
            assert snapshot.started_at is not None
            self._journal.start(job.id, snapshot.started_at)

    def settle(self) -> None:
        """Write down the ends that could not be written when they came."""
        with self._owed_lock:
            owed, self._owed = self._owed, {}
        for job_id, write in owed.items():
            self._try(job_id, write)

    def _end(self, job: Job, write: Callable[[], None]) -> None:
        self.settle()
        self._try(job.id, write)

    def _try(self, job_id: str, write: Callable[[], None]) -> None:
        try:
            write()
        except EngineError as err:
            logger.error("job %s: its end is not in the journal: %s", job_id, err.message)
            with self._owed_lock:
                self._owed[job_id] = write

    def _write_end(self, job: Job, snapshot: JobSnapshot, error: EngineError) -> None:
        state, finished_at = snapshot.state, snapshot.finished_at
        assert finished_at is not None
        if isinstance(error, ShuttingDown):  # the next process goes on with it
            if not job.terms.attended:
                self._journal.requeue(job.id, forgive=True)
                return
            state, error = JobState.CANCELLED, caller_gone()
        size = self._store.size(job.id) if job.terms.keep_scenes(snapshot.kind) else 0
        self._journal.end(job.id, state, finished_at, error, size)


def caller_gone() -> JobCancelled:
    """Why a job that somebody waited for is not made after a restart."""
    return JobCancelled("The service was restarted, and with that its caller has gone.")
