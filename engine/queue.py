"""The jobs that wait: bounded in image tasks, and in turns between those who ask."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable

from engine.jobs import Job


class JobQueue:
    """A bounded queue of jobs. A story counts as many tasks as it has scenes. Thread-safe.

    Clients take turns, one job each; the jobs of one client keep their order. So a script with
    fifty jobs lets everybody else in after one.
    """

    def __init__(self, max_tasks: int) -> None:
        self._max_tasks = max_tasks
        self._turns: OrderedDict[str | None, deque[Job]] = OrderedDict()
        self._promised = 0
        self._changed = threading.Condition()
        self._closed = False

    def put(self, job: Job, accept: Callable[[], None] = lambda: None) -> bool:
        """Append a job; False if it does not fit.

        A story larger than the whole queue is taken when nothing else waits.

        Args:
            accept: called once there is a place, before anybody can take the job; where it
                raises, the place is given back. Should the queue close meanwhile, the job is
                accepted, but will not be taken from here.
        """
        tasks = job.image_tasks
        with self._changed:
            before = self._promised + sum(waiting.image_tasks for waiting in self._in_turn())
            if self._closed or (before and before + tasks > self._max_tasks):
                return False
            self._promised += tasks
        try:
            accept()
        except BaseException:
            with self._changed:
                self._promised -= tasks
            raise
        with self._changed:
            self._promised -= tasks
            self._append(job)
        return True

    def put_back(self, job: Job) -> None:
        """Append a job that was accepted before, whether it fits or not."""
        with self._changed:
            self._append(job)

    def take(self) -> Job | None:
        """Remove the next job, blocking until there is one; None once the queue is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._turns or self._closed)
            if self._closed:
                return None
            client, jobs = self._turns.popitem(last=False)
            job = jobs.popleft()
            if jobs:
                self._turns[client] = jobs  # at the end: the others come first
            return job

    def discard(self, job: Job) -> None:
        """Remove a job that need not run any more; fine if it is not here."""
        with self._changed:
            jobs = self._turns.get(job.terms.client, deque())
            if job in jobs:
                jobs.remove(job)
                if not jobs:
                    del self._turns[job.terms.client]

    def waiting(self) -> list[Job]:
        """The jobs that wait, in the order in which they will be taken."""
        with self._changed:
            return self._in_turn()

    def close(self) -> list[Job]:
        """Take nothing more; return the jobs that will not run."""
        with self._changed:
            self._closed = True
            left = self._in_turn()
            self._turns.clear()
            self._changed.notify_all()
            return left

    def _append(self, job: Job) -> None:
        if not self._closed:
            self._turns.setdefault(job.terms.client, deque()).append(job)
            self._changed.notify()

    def _in_turn(self) -> list[Job]:
        turns = deque(deque(jobs) for jobs in self._turns.values())
        order = []
        while turns:
            jobs = turns.popleft()
            order.append(jobs.popleft())
            if jobs:
                turns.append(jobs)
        return order
