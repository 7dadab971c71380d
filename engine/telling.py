"""What a job is told while its pictures are drawn: steps, the time left, previews."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from engine.estimate import Estimator, File
from engine.jobs import Job
from engine.preview import Pace, encode_preview
from engine.requests import ImageTask
from engine.rows import OnPreview, Render
from engine.snapshots import Preview


@dataclass(frozen=True)
class PictureWork:
    """What each picture of a job takes: they are of one size, and as many steps."""

    task: ImageTask
    pixels: int
    """Those that are drawn."""
    guided: bool
    file: File
    """Which kind of file it becomes."""

    @property
    def steps(self) -> int:
        return self.task.num_inference_steps


class Telling:
    """Tells one job of its pictures, drawn one after the other or together. Thread-safe.

    Together, the first one that is not done is the one that is told of: so scene and step only
    ever grow.
    """

    def __init__(
        self,
        job: Job,
        numbers: Iterable[int],
        work: PictureWork,
        estimator: Estimator,
        *,
        pace: Pace,
        most_rows: int = 1,
        beside: bool = False,
        ends_in_s: Callable[[float], float] = lambda drawn_in_s: drawn_in_s,
    ) -> None:
        """Begin to tell of the pictures with these numbers.

        Args:
            pace: of the previews of all jobs.
            most_rows: how many pictures share a pass at most.
            beside: all files but the last are written while pictures are drawn.
            ends_in_s: seconds until the job ends, if they are all there in so many.
        """
        self._job = job
        self._left = dict.fromkeys(numbers, work.steps)
        self._begun: tuple[int, ...] = ()
        self._work = work
        self._estimator = estimator
        self._pace = pace
        self._most_rows, self._beside = most_rows, beside
        self._together = most_rows > 1
        self._ends_in_s = ends_in_s
        self._first: tuple[float, int] | None = None
        """When the first step was told of, and how many were left then."""
        self._lock = threading.Lock()

    def step(self, number: int, step: int) -> None:
        """So many steps of a picture are done."""
        steps = self._work.steps
        with self._lock:
            self._left[number] = steps - step
            if number not in self._begun:
                self._begun = (*self._begun, number)
            if step and self._first is None:
                self._first = time.perf_counter(), sum(self._left.values())
            if number != self._shown(number):
                return
            others = [left for other, left in self._left.items() if other > number]
            self._job.report(
                stage="denoising" if step < steps else "decoding",
                scene=number,
                step=step,
                steps=steps,
                begun=self._begun,
                at_once=1 + sum(0 < left < steps for left in others),
                steps_beside=sum(steps - left for left in others),
                eta_s=self._eta_s(number),
            )

    def kept(self, number: int) -> None:
        """A picture was there before."""
        steps = self._work.steps
        if not self._together:  # there, who waits for it has heard of later ones already
            self._job.report(stage="decoding", scene=number, step=steps, steps=steps)

    def drawn(self, number: int) -> None:
        """A picture is there."""
        with self._lock:
            del self._left[number]

    def previews(self, number: int, prepare: Callable[[], None]) -> OnPreview:
        """What shows a picture while it is drawn, if anyone watches and it costs little.

        Args:
            prepare: does once what the first preview needs.
        """
        task = self._work.task
        step = 0

        def show(render: Render) -> None:
            preview = encode_preview(render(), task.width, task.height)
            self._job.show(Preview(number, step, preview))

        def on_preview(render: Render) -> None:
            nonlocal step
            step += 1
            if self._job.is_watched and number == self._shown(number):
                prepare()
                self._pace.spend(self, lambda: show(render))

        return on_preview

    def _shown(self, number: int) -> int:
        """The first picture that is not done; or this one, where all before it are."""
        left = self._left.copy()
        return next((other for other in left if left[other] or other == number), number)

    def _eta_s(self, number: int) -> float | None:
        estimator = self._estimator
        if not (self._left[number] or estimator.knows("decode")):
            return None
        left = sum(self._left.values())
        pace_s = self._pace_s(left)
        if estimator.knows("step") and not (self._together and pace_s is not None):
            drawing_s = sum(map(self._picture_s, self._left.values()))
        elif pace_s is None:
            return None
        else:  # the very first picture, or one among others: its own pace tells
            drawing_s = pace_s * left + self._picture_s(0) * len(self._left)
        task = self._work.task
        around_s = estimator.around_s(self._work.file, task.width * task.height)
        around = 1 if self._beside else len(self._left)
        return self._ends_in_s(drawing_s + around * around_s)

    def _picture_s(self, steps: int) -> float:
        """Seconds for so many steps of a picture, and its decoding."""
        together = min(self._most_rows, len(self._left))
        guided = self._work.guided
        return self._estimator.picture_s(steps, self._work.pixels, guided=guided, together=together)

    def _pace_s(self, left: int) -> float | None:
        """Seconds a step, since the first one: the wait before that is nobody's pace."""
        if self._first is None:
            return None
        at, left_then = self._first
        return (time.perf_counter() - at) / (left_then - left) if left < left_then else None
