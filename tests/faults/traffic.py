"""Callers that ask for mixed work, and remember what they were told."""

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx

from tests.faults.service import ENDED, IMAGE, STORY, Service

Asked = tuple[str, dict[str, Any]]


class Traffic:
    """Images, stories, redraws and cancels from several callers at once.

    A call whose answer did not come is made again later, with the same idempotency key.
    """

    def __init__(self, service: Service, chance: random.Random) -> None:
        self._service = service
        self._chance = chance
        self._lock = threading.Lock()
        self._stories: list[str] = []
        self._going: list[str] = []
        self.accepted: set[str] = set()
        self.ended: dict[str, str] = {}
        self.unanswered: dict[str, Asked] = {}
        self.requests: Counter[int] = Counter()

    @contextmanager
    def flowing(self, callers: int = 3, *, until_killed: bool = False) -> Iterator[None]:
        """Let the callers call until the block ends; or until the server does, if it may."""
        over = threading.Event()

        def call() -> None:
            while not over.is_set():
                try:
                    self.act()
                except httpx.TransportError:
                    if until_killed:
                        return
                    raise

        with ThreadPoolExecutor(callers) as pool:
            calling = [pool.submit(call) for _ in range(callers)]
            try:
                yield
            finally:
                over.set()
        for caller in calling:
            caller.result()

    def act(self) -> None:
        """Make one call, whatever it is."""
        dice = self._chance.random()
        with self._lock:
            going, stories = list(self._going), list(self._stories)
        if dice < 0.3:
            self._submit("/jobs/image", {**IMAGE, "seed": self._chance.randrange(10**6)})
        elif dice < 0.4:
            self._submit("/jobs/video", {**STORY, "seed": self._chance.randrange(10**6)})
        elif dice < 0.5 and stories:
            story = self._chance.choice(stories)
            seed = self._chance.randrange(10**6)
            self._submit(f"/jobs/{story}/scenes/2/redraw", {"seed": seed})
        elif dice < 0.52 and going:
            self._look("DELETE", self._chance.choice(going))
        elif going:
            self._look("GET", self._chance.choice(going))

    def repeat(self) -> None:
        """Make the calls again whose answers did not come."""
        while self.unanswered:
            for key, (path, body) in list(self.unanswered.items()):
                self._post(key, path, body)

    def _submit(self, path: str, body: dict[str, Any]) -> None:
        key = uuid.uuid4().hex
        self.unanswered[key] = path, body
        if self._post(key, path, body) == 503:
            del self.unanswered[key]  # there is no job, and nobody wants one any more

    def _post(self, key: str, path: str, body: dict[str, Any]) -> int:
        answer = self._ask("POST", path, json=body, headers={"Idempotency-Key": key})
        if answer.status_code == 503:
            assert answer.json()["code"] == "queue_full", answer.text
            time.sleep(0.05)
            return 503
        assert answer.status_code == 202, answer.text
        self._note(answer.json())
        del self.unanswered[key]
        return 202

    def _look(self, method: str, job_id: str) -> None:
        answer = self._ask(method, f"/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        self._note(answer.json())

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        answer = self._service.client.request(method, path, **more)
        self.requests[answer.status_code] += 1
        return answer

    def _note(self, job: Any) -> None:
        with self._lock:
            job_id, state = job["id"], job["state"]
            if job_id not in self.accepted:
                self.accepted.add(job_id)
                self._going.append(job_id)
            if state in ENDED and job_id not in self.ended:
                self.ended[job_id] = state
                self._going.remove(job_id)
                if job["kind"] == "video" and state == "succeeded":
                    self._stories.append(job_id)
            # An answer may be overtaken by a later one; two ends must be the same.
            assert state not in ENDED or self.ended[job_id] == state, "a job ended twice"
