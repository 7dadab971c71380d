"""A row: one picture on its way from a task to its pixels, beside others that it never meets."""

import traceback
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from engine.errors import EngineError
from engine.jobs import CancelToken
from engine.models import LoadedModel
from engine.requests import ImageTask
from engine.solver import Walk
from engine.status import Readiness
from engine.stopwatch import Lap

OnStep = Callable[[int], None]
Render = Callable[[], NDArray[np.uint8]]
OnPreview = Callable[[Render], None]


@dataclass(frozen=True)
class Picture:
    """A generated picture and what is known of its making.

    `pixels` is uint8 RGB (height, width, 3) at the asked size; `drawn_width` and `drawn_height`
    are the size the model drew at, in pixels. `step_s` is its share of the steps' time: pictures
    drawn together share each pass. `pass_s` is what a pass took in all, of `pass_rows` rows of the
    U-Net; both in the mean. `rest_s` is what else it took, whatever it waited for not included.
    """

    pixels: NDArray[np.uint8]
    guidance_scale: float
    drawn_width: int
    drawn_height: int
    steps: int
    step_s: float
    pass_s: float
    pass_rows: int
    decode_s: float
    rest_s: float

    @property
    def draw_s(self) -> float:
        """Seconds to denoise and decode."""
        return self.steps * self.step_s + self.decode_s


@dataclass(frozen=True, eq=False)
class Order:
    """A picture as it is asked of a sampler.

    Attributes:
        token: looked at before every pass; and before every block of the model's parts where no
            other picture is at work.
        on_step: called with the number of steps done, after each, on the device's thread.
        on_preview: called before that with what would render the picture as it stands, small.
        turn: whose it is; where pictures wait to join, those who asked take turns.
    """

    task: ImageTask
    token: CancelToken
    on_step: OnStep
    on_preview: OnPreview = lambda render: None
    turn: Hashable = None


class PictureSampler(Protocol):
    """What draws pictures with one model: our own loop, or the model's own pipeline."""

    @property
    def model(self) -> LoadedModel:
        """What it draws with."""
        ...

    @property
    def most_rows(self) -> int:
        """How many pictures may be drawn together at most."""
        ...

    @property
    def programs(self) -> Readiness | None:
        """How far its programs are; None where it makes none."""
        ...

    def begin_all(self, orders: Sequence[Order]) -> "list[Row]":
        """Begin pictures; where several are drawn together, on any thread."""
        ...

    def generate(self, order: Order) -> Picture:
        """Draw one picture, or raise what its row's future does."""
        ...

    def prepare_previews(self) -> None:
        """Do once what the first preview needs."""
        ...


@dataclass(frozen=True)
class Size:
    """What rows must have in common to share a pass.

    Height and width of the latents in cells, and the windows of the text encoder: another window
    of padding would change the numbers.
    """

    height: int
    width: int
    chunks: int

    @property
    def cells(self) -> int:
        return self.height * self.width


@dataclass(frozen=True)
class Pass:
    """What one pass took, how many pictures shared it, and of how many rows of the U-Net it was."""

    lap: Lap
    pictures: int
    rows: int


@dataclass(eq=False)
class Flight:
    """How far a row has come.

    Attributes:
        embeddings: (2, tokens, width), the negative prompt's first; (1, ...) without guidance.
        latents: float32 (channels, height, width), and so is `clean`, what the model expects of
            them at the end; zeros before the first step.
        guidance_scale: float32, a single number on the device.
        step: steps taken.
        prepare_s: seconds that its prompts and its noise took.
        passes: those it has taken part in.
    """

    guidance_scale: Tensor
    embeddings: Tensor
    walk: Walk
    latents: Tensor
    clean: Tensor
    prepare_s: float = 0.0
    step: int = 0
    passes: list[Pass] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        return self.step == len(self.walk)


@dataclass(eq=False)
class Row:
    """A picture under way: the handle of whoever waits for it.

    Attributes:
        guidance_scale: the one it is drawn with, asked for or the model's own.
        future: what finishes the picture, or why there is none.
        flight: the device thread's own; None before the first pass and at the end.
    """

    order: Order
    guidance_scale: float
    future: Future[Callable[[], Picture]] = field(default_factory=Future)
    flight: Flight | None = None

    @property
    def is_guided(self) -> bool:
        return self.guidance_scale > 1

    def result(self, timeout_s: float | None = None) -> Picture:
        """Wait for the picture, and finish it on this thread; see `Sampler.begin`."""
        return self.future.result(timeout_s)()

    def succeed(self, finish: Callable[[], Picture]) -> None:
        """End, but for what needs no device."""
        self.flight = None
        self.future.set_result(finish)

    def fail(self, error: BaseException) -> None:
        """End without a picture; where the token is set, that is the reason.

        The error's frames are emptied: they hold tensors, and whoever waits may keep it for long.
        """
        try:
            self.order.token.check()
        except EngineError as reason:
            error = reason
        if isinstance(error, EngineError):
            error = error.without_frames()
        traceback.clear_frames(error.__traceback__)
        self.flight = None
        self.future.set_exception(error)
