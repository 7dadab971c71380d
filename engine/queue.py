"""The jobs that wait: bounded in image tasks, and in turns between those who ask."""

import copy
import threading
from collections import OrderedDict, deque
from collections.abc import Callable

from engine.jobs import Job
from engine.requests import ImageRequest

Fits = Callable[[Job], bool]
WorkOf = Callable[[Job], float]
"""How much a job draws, in any unit."""


def _any_job(job: Job) -> bool:
    return True


def asked_work(job: Job) -> float:
    """How much a job draws as it was asked for, in pixels times steps."""
    request = job.request
    return job.image_tasks * request.width * request.height * request.num_inference_steps


def _is_picture(job: Job) -> bool:
    return isinstance(job.request, ImageRequest)


class _Turns:
    """Whose job is next: of the client who has had the least work done, in fair shares of it.

    Weighted fair queueing (Demers, Keshav, Shenker 1989): a clock goes on by the work that is
    taken, divided by the number of those who want some; who comes new, or comes back, begins at
    what it shows, and so has no claim from the time before.
    """

    def __init__(self, work: WorkOf) -> None:
        self._work = work
        self._jobs: OrderedDict[str | None, deque[Job]] = OrderedDict()
        self._had: dict[str | None, float] = {}
        self._clock = 0.0

    def __bool__(self) -> bool:
        return bool(self._jobs)

    def append(self, job: Job) -> None:
        client = job.terms.client
        if client not in self._jobs:
            self._jobs[client] = deque()
            self._had[client] = max(self._clock, self._had.get(client, 0.0))
        self._jobs[client].append(job)

    def has(self, fits: Fits) -> bool:
        return any(any(map(fits, jobs)) for jobs in self._jobs.values())

    def pop(self, fits: Fits = _any_job) -> Job:
        """Remove the next job that fits."""
        wanting = [client for client, jobs in self._jobs.items() if any(map(fits, jobs))]
        client = min(wanting, key=self._had.__getitem__)
        job = next(filter(fits, self._jobs[client]))
        self._jobs[client].remove(job)
        work = self._work(job)
        self._had[client] += work
        self._clock += work / len(self._jobs)
        if self._jobs[client]:
            self._jobs.move_to_end(client)  # after those who have had as much
        else:
            del self._jobs[client]
        if not self._jobs:  # nobody waits, so nobody has had too much
            self._clock = max(self._had.values())
        self._had = {
            one: had for one, had in self._had.items() if one in self._jobs or had > self._clock
        }
        return job

    def discard(self, job: Job) -> None:
        client = job.terms.client
        if job in self._jobs.get(client, ()):
            self._jobs[client].remove(job)
            if not self._jobs[client]:
                del self._jobs[client]

    @property
    def image_tasks(self) -> int:
        return sum(job.image_tasks for jobs in self._jobs.values() for job in jobs)

    def in_order(self) -> list[Job]:
        """All jobs, in the order in which they would be popped."""
        left = copy.copy(self)
        left._jobs = OrderedDict((client, deque(jobs)) for client, jobs in self._jobs.items())
        left._had = dict(self._had)
        order = []
        while left:
            order.append(left.pop())
        return order


class JobQueue:
    """A bounded queue of jobs. A story counts as many tasks as it has scenes. Thread-safe.

    Clients take turns, in fair shares of the work; the jobs of one client keep their order. So a
    script with fifty jobs lets everybody else in after one, and who asks for short work is not
    held up by those who ask for long.
    """

    def __init__(self, max_tasks: int, work: WorkOf = asked_work) -> None:
        """Make an empty queue.

        Args:
            work: what shares are shares of. It is counted when a job is taken, so one that is
                cancelled before has cost its client nothing.
        """
        self._max_tasks = max_tasks
        self._work = work
        self._turns = _Turns(work)
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
            before = self._promised + self._turns.image_tasks
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

    def take(self, *, stories: bool = True) -> Job | None:
        """Remove the next job, blocking until there is one; None once the queue is closed.

        Args:
            stories: without, they are passed over, and wait for another taker.
        """
        fits = _any_job if stories else _is_picture
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._turns.has(fits))
            if self._closed:
                return None
            return self._turns.pop(fits)

    def discard(self, job: Job) -> None:
        """Remove a job that need not run any more; fine if it is not here."""
        with self._changed:
            self._turns.discard(job)

    @property
    def image_tasks(self) -> int:
        """How many pictures wait."""
        with self._changed:
            return self._turns.image_tasks

    def waiting(self) -> list[Job]:
        """The jobs that wait, in the order in which they will be taken."""
        with self._changed:
            return self._turns.in_order()

    def close(self) -> list[Job]:
        """Take nothing more; return the jobs that will not run."""
        with self._changed:
            self._closed = True
            left = self._turns.in_order()
            self._turns = _Turns(self._work)
            self._changed.notify_all()
            return left

    def _append(self, job: Job) -> None:
        if not self._closed:
            self._turns.append(job)
            self._changed.notify_all()  # one alone might not be for this kind
