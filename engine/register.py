"""The jobs of this process, and those of earlier ones: accepted, found again, listed."""

import contextlib
import hashlib
import logging
import secrets
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable

from engine.archive import Archive
from engine.errors import JobCancelled, JobNotFound, KeyReused, ShuttingDown
from engine.jobs import Job
from engine.queue import JobQueue
from engine.records import Record
from engine.requests import SEED_MAX, Request, VideoRequest
from engine.snapshots import JobSnapshot, JobState, Terms
from engine.timer import Timer

logger = logging.getLogger(__name__)

_JOBS_KEPT = 200
"""In memory, so that a poll of a live or late job needs no thread; the journal knows them all."""


class Register:
    """Every job that can be asked for. Thread-safe."""

    def __init__(
        self,
        archive: Archive,
        queue: JobQueue,
        timer: Timer,
        on_change: Callable[[Job], None],
        scenes_to_draw: Callable[[VideoRequest, Terms, int], int],
    ) -> None:
        self._archive = archive
        self._queue = queue
        self._timer = timer
        self._on_change = on_change
        self._scenes_to_draw = scenes_to_draw
        self.jobs: OrderedDict[str, Job] = OrderedDict()
        """Those in memory, in the order in which they came: all live ones, some ended ones."""
        self._lock = threading.Lock()
        self._keys_lock = threading.Lock()
        self._inherited: set[str] = set()

    def take_over(self) -> list[Job]:
        """Queue what an earlier process accepted and did not end.

        Returns:
            Those that were under way when a process died: each may be why.
        """
        suspects = []
        for record in self._archive.unfinished:
            job = self._restored(record)
            self.jobs[job.id] = job
            self._inherited.add(job.id)
            self._queue.put_back(job)
            self._watch_deadline(job)
            if record.attempts:
                suspects.append(job)
        return suspects

    def is_inherited(self, job: Job) -> bool:
        """Whether an earlier process accepted this job."""
        return job.id in self._inherited

    def submit(
        self, request: Request, terms: Terms, key: str | None, check: Callable[[], None]
    ) -> Job | None:
        """Queue a new job, or find the one that this key brought before; None if it does not fit.

        Args:
            check: raises if no new job may be made now.

        Raises:
            KeyReused: the key came with another request before.
            StorageFull: the job cannot be written down.
        """
        if key is None:
            check()
            return self._accept(request, terms)
        text = f"{type(request).__name__} {request.model_dump_json()}"
        digest = hashlib.sha256(text.encode()).hexdigest()
        with self._keys_lock:
            known = self._known(terms.owner, key, digest)
            if known is not None:
                return known
            check()
            return self._accept(request, terms, key, digest)

    def find(self, job_id: str, owner: str | None) -> Job:
        """Find a job of this owner.

        Raises:
            JobNotFound: there is none, or it is somebody else's.
        """
        job = self.find_in_memory(job_id, owner)
        if job is not None:
            return job
        record = self._archive.journal.get(job_id)
        if record is None or record.terms.owner != owner:
            raise JobNotFound("There is no job with this id.")
        return self._restored(record)

    def find_in_memory(self, job_id: str, owner: str | None) -> Job | None:
        """The same without a look into the journal, which may have to wait for the disk."""
        job = self.jobs.get(job_id)
        return job if job is not None and job.owner == owner else None

    def page(
        self,
        owner: str | None,
        *,
        state: JobState | None,
        kind: str | None,
        limit: int,
        after: str | None,
    ) -> list[JobSnapshot]:
        """Jobs of this owner, newest first, from the one that follows `after`.

        Raises:
            JobNotFound: there is no job `after`, or it is somebody else's.
        """
        if after is not None:
            self.find(after, owner)
        page = self._archive.journal.page(owner, state=state, kind=kind, limit=limit, after=after)
        live = [self.jobs.get(record.snapshot.id) for record in page]
        return [
            record.snapshot if job is None else job.snapshot()
            for job, record in zip(live, page, strict=True)
        ]

    def _known(self, owner: str | None, key: str, digest: str) -> Job | None:
        found = self._archive.journal.key(owner, key)
        if found is None:
            return None
        if found[0] != digest:
            raise KeyReused("This idempotency key came with another request before.")
        job = self.find(found[1], owner)
        # Its caller left, and now comes back.
        left = job.terms.attended and isinstance(job.error, JobCancelled | ShuttingDown)
        return None if left else job

    def _accept(
        self, request: Request, terms: Terms, key: str | None = None, digest: str = ""
    ) -> Job | None:
        recorder = self._archive.recorder
        seed, tasks = _choose_seed(request), 1
        if isinstance(request, VideoRequest):
            tasks = max(1, self._scenes_to_draw(request, terms, seed))
        job = Job(
            request,
            seed=seed,
            terms=terms,
            image_tasks=tasks,
            on_change=self._on_change,
            recorder=recorder,
        )
        with self._lock:
            self.jobs[job.id] = job
            self._forget_one()
        accepted = False
        try:
            accepted = self._queue.put(job, lambda: self._archive.journal.accept(job, key, digest))
        finally:
            if not accepted:
                with self._lock:
                    del self.jobs[job.id]
        if not accepted:
            return None
        logger.info("job %s: queued, %d picture(s)", job.id, job.image_tasks)
        self._watch_deadline(job)
        return job

    def _restored(self, record: Record) -> Job:
        return Job(
            record.request,
            seed=record.seed,
            terms=record.terms,
            snapshot=record.snapshot,
            outcome=(record.result, record.error),
            on_change=self._on_change,
            recorder=self._archive.recorder,
        )

    def _watch_deadline(self, job: Job) -> None:
        if job.terms.deadline_s is None:
            return
        watched = weakref.ref(job)  # a deadline far away must not keep an ended job

        def expire() -> None:
            if (late := watched()) is not None:
                late.expire()

        left_s = job.snapshot().created_at + job.terms.deadline_s - time.time()
        self._timer.after(left_s, expire)

    def _forget_one(self) -> None:
        if len(self.jobs) > _JOBS_KEPT:
            ended = (job_id for job_id, job in self.jobs.items() if job.state.is_terminal)
            with contextlib.suppress(StopIteration):
                del self.jobs[next(ended)]


def _choose_seed(request: Request) -> int:
    """The seed of the first picture: as asked for, else drawn."""
    if isinstance(request, VideoRequest) and request.scene_seeds is not None:
        return request.scene_seeds[0]
    return secrets.randbelow(SEED_MAX + 1) if request.seed is None else request.seed
