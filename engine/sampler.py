"""Image tasks into pictures: rows of one U-Net pass, each at a step of its own.

A row joins at any pass and leaves when it is done; what it shares with its neighbours is time,
nothing else. The loop is ours, so that latents stay in float32 whatever the model's dtype and so
that it can stop at any step or block; numerically it is diffusers' own pipeline with
DPM-Solver++ 2M (see `solver.py`), the multistep solver that needs 20–25 steps.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from statistics import fmean

import torch

from engine.decoding import Decoder
from engine.denoiser import Denoiser, before_each_block
from engine.encoding import Encoder
from engine.latents import draw_noise, drawn_size, resample
from engine.memory import Room, telling_out_of_memory
from engine.models import LoadedModel
from engine.preview import Projector
from engine.programs import Backend, Programs
from engine.rows import Flight, Order, Picture, Row, Size
from engine.slots import Slots
from engine.solver import Solver
from engine.status import Readiness
from engine.turns import Turns

logger = logging.getLogger(__name__)


class Sampler:
    """Draws pictures with one loaded model.

    Rows may be begun on any thread; `advance` and `serve` are for the one that owns the device,
    and so is `generate` where none serves.
    """

    def __init__(
        self,
        model: LoadedModel,
        room: Room | None = None,
        backend: Backend | None = None,
        most: int | None = None,
    ) -> None:
        """Prepare to draw; without `room`, find out how many rows fit a pass, or are fastest.

        Args:
            backend: makes programs of the U-Net and the decoder for the shapes in use.
            most: pictures that may share a pass, if there is room.

        Raises:
            ModelUnavailable: the model's scheduler asks for what is not supported.
        """
        self.model = model
        self._programs = None if backend is None else Programs(backend, self.wake)
        self._encoder = Encoder(model)
        self._denoiser = Denoiser(model, room, self._programs, most)
        self._decoder = Decoder(model, self._programs)
        self._solver = Solver(model.pipeline.scheduler.config, self._denoiser.device)
        self._projector = Projector(model)
        self._arrivals: deque[list[Row]] = deque()
        self._slots: Slots[Row, Size] = Slots()
        self._at_work: list[Row] = []
        self._device_in_use = threading.Lock()
        self._is_serving = False
        self._woken = threading.Event()
        self._turns = Turns()
        pipeline = model.pipeline
        if backend is None:  # a program is done as one; where there are any, steps are short
            for module in (pipeline.text_encoder, pipeline.unet, pipeline.vae.decoder):
                before_each_block(module, self._check_tokens)

    @property
    def most_rows(self) -> int:
        """How many pictures may share a pass at most."""
        return self._denoiser.room.most

    @property
    def programs(self) -> Readiness | None:
        """How far its programs are, for any thread; None where it makes none."""
        return None if self._programs is None else self._programs.readiness

    def begin(self, order: Order) -> Row:
        """Let a picture join the next pass that has a place for it. Thread-safe.

        Returns:
            The row. Its `result` raises:
                BadOutput: the model gave NaN.
                DeviceOutOfMemory: the picture does not fit; the cache was emptied.
                EngineError: the reason the order's token was set with.
        """
        (row,) = self.begin_all([order])
        return row

    def begin_all(self, orders: Sequence[Order]) -> list[Row]:
        """Let pictures join the same pass, as far as it has places for them; see `begin`."""
        guidance_for = self.model.defaults.guidance_for
        rows = [Row(order, guidance_for(order.task.guidance_scale)) for order in orders]
        self._arrivals.append(rows)
        self._woken.set()
        return rows

    def generate(self, order: Order) -> Picture:
        """Draw one picture, and whatever else was begun beside it; see `begin`.

        While another thread serves, that one draws it, and this one waits.
        """
        row = self.begin(order)
        while not self._is_serving and not row.future.done():
            self.advance()
        return row.result()

    def serve(self, on_ready: Callable[[], None], is_over: Callable[[], bool]) -> None:
        """Draw what other threads begin, until `is_over`; `wake` has it looked at again.

        Args:
            on_ready: called once others may begin.
        """
        self._is_serving = True
        try:
            on_ready()
            while True:
                self._woken.clear()
                with self._turns.take(self._look):
                    has_more = self.advance()
                if has_more:
                    continue
                if is_over():
                    break
                self._woken.wait()
        except BaseException as err:
            self._fail_all(err)
            raise
        finally:
            self._is_serving = False

    def at_rest(self, check: Callable[[], None]) -> AbstractContextManager[None]:
        """A time in which `serve` takes no step. Thread-safe.

        Args:
            check: called again and again while it has not come; may raise.
        """
        return self._turns.take(check)

    def wake(self) -> None:
        """Have `serve` look whether there is anything to do, or to end. Thread-safe."""
        self._woken.set()

    def advance(self) -> bool:
        """Take the rows whose turn it is one step further, to their pictures if it is the last.

        Whatever goes wrong ends the rows concerned, and is told to those who wait for them.

        Returns:
            Whether any rows are left.
        """
        if not self._device_in_use.acquire(blocking=False):
            raise RuntimeError("two threads on one device at once")
        try:
            with torch.inference_mode():
                self._advance()
        except BaseException as err:  # a defect of ours: nobody must wait for ever
            logger.exception("a pass went wrong")
            self._fail_all(err)
        finally:
            self._device_in_use.release()
        return len(self._slots) > 0

    def _look(self) -> None:
        """Let in who has arrived, and out who is not wanted any more."""
        while self._arrivals:
            for row in self._arrivals.popleft():
                self._try([row], partial(self._admit, row))
        for row in list(self._slots):
            if row.order.token.is_set:
                self._try([row], lambda: None)

    def _advance(self) -> None:
        self._look()
        room = self._denoiser.room
        chosen = self._slots.choose(
            lambda size: room.pictures(size.cells), lambda size, rows: rows * size.cells
        )
        rows = [row for row in chosen if self._try([row], partial(self._prepare, row))]
        flights = [row.flight for row in rows if row.flight is not None]
        if rows and self._try(rows, partial(self._denoiser.step, flights)):
            told = [row for row in rows if self._try([row], partial(self._tell, row))]
            for row in told:
                if row.flight is not None and row.flight.is_done:
                    self._try([row], partial(self._finish, row, row.flight))
        if self._programs is not None:
            self._programs.build(idle=not len(self._slots))
        if not len(self._slots):
            self._denoiser.room.recover()
            self.model.pipeline.maybe_free_model_hooks()

    def prepare_previews(self) -> None:
        """Do once what the first preview needs."""
        self._projector.prepare()

    def _try(self, rows: list[Row], work: Callable[[], None]) -> bool:
        """Do work for these rows, unless they were stopped; what it raises ends them and no others.

        Returns:
            Whether it was done.
        """
        self._at_work = rows
        try:
            self._check_tokens()
            with telling_out_of_memory(self.model.device):
                work()
        except BaseException as err:  # a library's SystemExit, too, is for those who wait
            for row in rows:
                self._end(row, err)
            return False
        finally:
            self._at_work = []
        return True

    def _fail_all(self, err: BaseException) -> None:
        while self._arrivals:
            for row in self._arrivals.popleft():
                row.fail(err)
        for row in list(self._slots):
            self._end(row, err)

    def _end(self, row: Row, err: BaseException) -> None:
        self._slots.discard(row)
        row.fail(err)

    def _check_tokens(self) -> None:
        """Stop what is being done if none of the rows at work is wanted any more."""
        if self._at_work and all(row.order.token.is_set for row in self._at_work):
            self._at_work[0].order.token.check()

    def _admit(self, row: Row) -> None:
        task, cell = row.order.task, self.model.scale_factor
        width, height = drawn_size(task.width, task.height, self.model)
        chunks = self._encoder.count_chunks(task, guided=row.is_guided)
        self._slots.add(row, Size(height // cell, width // cell, chunks), turn=row.order.turn)

    def _prepare(self, row: Row) -> None:
        """Encode the prompts and draw the noise of a row that has not begun."""
        if row.flight is not None:
            return
        start, task = time.perf_counter(), row.order.task
        embeddings = self._encoder.encode(task, guided=row.is_guided)
        noise = draw_noise(self.model, task.seed, *drawn_size(task.width, task.height, self.model))
        walk = self._solver.walk(task.num_inference_steps)
        latents = noise[0].to(self._denoiser.device) * walk.noise_scale
        scale = torch.tensor(row.guidance_scale, device=self._denoiser.device)
        prepare_s = time.perf_counter() - start
        row.flight = Flight(scale, embeddings, walk, latents, torch.zeros_like(latents), prepare_s)

    def _tell(self, row: Row) -> None:
        assert row.flight is not None
        row.order.on_preview(partial(self._projector.show, row.flight.clean[None]))
        row.order.on_step(row.flight.step)

    def _finish(self, row: Row, flight: Flight) -> None:
        """Decode a row that has taken its last step; whoever waits for it does the rest."""
        decoded = self._decoder.begin(flight.latents)
        # Neither the flight, whose tensors must not outlive it, nor the row, which keeps this.
        passes, task, guidance_scale = flight.passes, row.order.task, row.guidance_scale
        prepare_s = flight.prepare_s

        def finish() -> Picture:
            drawn, decode_s = decoded()
            drawn_height, drawn_width = drawn.shape[:2]
            start = time.perf_counter()
            pixels = resample(drawn, task.width, task.height)
            return Picture(
                pixels=pixels,
                guidance_scale=guidance_scale,
                drawn_width=drawn_width,
                drawn_height=drawn_height,
                steps=len(passes),
                step_s=fmean(one.lap() / one.pictures for one in passes),
                pass_s=fmean(one.lap() for one in passes),
                pass_rows=round(fmean(one.rows for one in passes)),
                decode_s=decode_s,
                rest_s=prepare_s + time.perf_counter() - start,
            )

        self._slots.discard(row)
        row.succeed(finish)
