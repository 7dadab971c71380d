"""The jobs that wait: bounded in image tasks, first come first served."""

import threading
from collections import deque

from engine.jobs import Job


class JobQueue:
    """A bounded queue of jobs. A story counts as many tasks as it has scenes. Thread-safe."""

    def __init__(self, max_tasks: int) -> None:
        self._max_tasks = max_tasks
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, job: Job) -> bool:
        """Append a job; False if it does not fit.

        A story larger than the whole queue is taken when nothing else waits.
        """
        with self._changed:
            tasks = sum(waiting.image_tasks for waiting in self._jobs)
            if self._closed or (self._jobs and tasks + job.image_tasks > self._max_tasks):
                return False
            self._jobs.append(job)
            self._changed.notify()
            return True

    def take(self) -> Job | None:
        """Remove the first job, blocking until there is one; None once the queue is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._closed)
            return None if self._closed else self._jobs.popleft()

    def discard(self, job: Job) -> None:
        """Remove a job that need not run any more; fine if it is not here."""
        with self._changed:
            if job in self._jobs:
                self._jobs.remove(job)

    def waiting(self) -> list[Job]:
        """The jobs that wait, next first."""
        with self._changed:
            return list(self._jobs)

    def close(self) -> list[Job]:
        """Take nothing more; return the jobs that will not run."""
        with self._changed:
            self._closed = True
            left = list(self._jobs)
            self._jobs.clear()
            self._changed.notify_all()
            return left
