"""Rows that share passes: what befalls one ends no other."""

import gc
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.errors import BadOutput, DeviceOutOfMemory, JobCancelled
from engine.jobs import CancelToken
from engine.latents import draw_noise
from engine.memory import Room
from engine.models import LoadedModel
from engine.rows import Order
from engine.sampler import Sampler
from tests.batches import alone, begin, finish, noted_batches, pixels_of
from tests.loaded import load, make_task


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> LoadedModel:
    return load(tiny_model)


@pytest.fixture
def fresh(tiny_model: Path) -> LoadedModel:
    """A model of its own, to be damaged."""
    return load(tiny_model)


@pytest.mark.parametrize("when", ["waiting", "under way", "at its last step"])
def test_cancelling_one_row_leaves_the_others_as_they_are(model: LoadedModel, when: str) -> None:
    sampler, token = Sampler(model, Room(8)), CancelToken()
    at = {"waiting": 0, "under way": 4, "at its last step": 10}[when]

    def cancel_at(step: int) -> None:
        if step == at:
            token.set(JobCancelled("stop"))

    others = [begin(sampler, seed=seed) for seed in (1, 2)]
    row = sampler.begin(Order(make_task(), token, cancel_at))
    cancel_at(0)
    finish(sampler)
    with pytest.raises(JobCancelled):
        row.result(0)
    for other in others:
        assert np.abs(pixels_of(other) - alone(model, other.order.task)).max() <= 2


def test_a_cancelled_row_takes_no_further_step(model: LoadedModel) -> None:
    sampler, token, sizes = Sampler(model, Room(8)), CancelToken(), list[int]()
    note = noted_batches(model, sizes)
    begin(sampler)
    sampler.begin(
        Order(
            make_task(), token, lambda step: token.set(JobCancelled("stop")) if step == 4 else None
        )
    )
    finish(sampler)
    note.remove()
    assert sizes == [4] * 4 + [2] * 6


def test_a_pass_goes_on_while_one_of_its_rows_is_wanted(fresh: LoadedModel) -> None:
    sampler = Sampler(fresh, Room(8))
    tokens = [CancelToken(), CancelToken()]
    rows = [
        sampler.begin(Order(make_task(seed=seed), tokens[seed], lambda step: None))
        for seed in (0, 1)
    ]
    reached = []

    def cancel(*_: object) -> None:  # one in the first pass, both in the second
        for token in tokens[: len(reached) + 1]:
            token.set(JobCancelled("stop"))

    fresh.pipeline.unet.conv_in.register_forward_hook(cancel)
    fresh.pipeline.unet.conv_out.register_forward_hook(lambda *_: reached.append(True))
    sampler.advance()
    assert reached == [True] and not rows[1].future.done()
    assert isinstance(rows[0].future.exception(0), JobCancelled)
    finish(sampler)
    assert reached == [True]
    assert all(isinstance(row.future.exception(0), JobCancelled) for row in rows)


def test_numbers_that_are_none_end_their_own_row_only(
    fresh: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def noise(model: LoadedModel, seed: int, width: int, height: int) -> torch.Tensor:
        return draw_noise(model, seed, width, height) * (float("nan") if seed == 666 else 1)

    monkeypatch.setattr("engine.sampler.draw_noise", noise)
    sampler = Sampler(fresh, Room(8))
    good, bad, better = (begin(sampler, seed=seed) for seed in (1, 666, 2))
    finish(sampler)
    with pytest.raises(BadOutput, match="while denoising"):
        bad.result(0)
    for row in (good, better):
        assert np.abs(pixels_of(row) - alone(fresh, row.order.task)).max() <= 2


def test_who_stumbles_while_it_is_told_ends_alone(model: LoadedModel) -> None:
    def stumble(step: int) -> None:
        raise SystemExit(step)

    sampler = Sampler(model, Room(8))
    bad, good = begin(sampler, stumble), begin(sampler)
    finish(sampler)
    assert isinstance(bad.future.exception(0), SystemExit)
    assert np.abs(pixels_of(good) - alone(model, good.order.task)).max() <= 2


def out_of_memory() -> RuntimeError:
    return torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


class Narrow:
    """A U-Net whose memory takes only so many rows."""

    def __init__(self, model: LoadedModel, patch: pytest.MonkeyPatch, fits: int) -> None:
        self.fits = fits
        self.tried: list[int] = []
        self._forward = model.pipeline.unet.forward
        patch.setattr(model.pipeline.unet, "forward", self.forward)

    def forward(self, *inputs: Any, encoder_hidden_states: torch.Tensor, **more: Any) -> Any:
        self.tried.append(len(encoder_hidden_states))
        if len(encoder_hidden_states) > self.fits:
            raise out_of_memory()
        return self._forward(*inputs, encoder_hidden_states=encoder_hidden_states, **more)


def test_out_of_memory_halves_the_pass_and_goes_on(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler = Sampler(model, Room(8))
    with monkeypatch.context() as patch:
        narrow = Narrow(model, patch, 4)
        rows = [begin(sampler, seed=seed) for seed in range(6)]
        finish(sampler)
    # Twelve do not fit, nor six; in threes all six pictures take this step. From then on the
    # pass is one picture, the power of two that fits three rows.
    assert narrow.tried[:6] == [12, 6, 3, 3, 3, 3]
    assert set(narrow.tried[6:]) == {2}
    for row in rows:
        assert np.abs(pixels_of(row) - alone(model, row.order.task)).max() <= 2


def test_what_did_not_fit_is_tried_again_once_all_is_done(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler = Sampler(model, Room(8))
    with monkeypatch.context() as patch:
        narrow = Narrow(model, patch, 4)
        for seed in range(4):
            begin(sampler, seed=seed)
        finish(sampler)
        narrow.fits = 8
        narrow.tried.clear()
        for seed in range(4):
            begin(sampler, seed=seed)
        finish(sampler)
    assert narrow.tried == [8] * 10


def test_what_does_not_fit_alone_either_is_told_and_the_next_succeeds(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler = Sampler(model, Room(8))
    with monkeypatch.context() as patch:
        Narrow(model, patch, 0)
        rows = [begin(sampler, seed=seed) for seed in range(3)]
        finish(sampler)
    assert all(isinstance(row.future.exception(0), DeviceOutOfMemory) for row in rows)
    good = begin(sampler)
    finish(sampler)
    assert np.array_equal(pixels_of(good), alone(model, good.order.task))


def test_a_defect_of_the_unet_ends_the_rows_of_its_pass_and_no_others(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("shapes do not match")

    sampler = Sampler(model, Room(8))
    rows = [begin(sampler, seed=seed) for seed in range(3)]
    other = begin(sampler, width=128)
    with monkeypatch.context() as patch:
        patch.setattr(model.pipeline.unet, "forward", fail)
        sampler.advance()
    assert [str(row.future.exception(0)) for row in rows] == ["shapes do not match"] * 3
    finish(sampler)
    assert np.abs(pixels_of(other) - alone(model, other.order.task)).max() <= 2


def test_nothing_is_kept_of_rows_that_are_gone(model: LoadedModel) -> None:
    sampler, token = Sampler(model, Room(8)), CancelToken()
    rows = [begin(sampler, seed=seed, num_inference_steps=10 + seed) for seed in range(4)]
    rows.append(
        sampler.begin(Order(make_task(), token, lambda step: token.set(JobCancelled("stop"))))
    )
    sampler.advance()
    tensors = [weakref.ref(row.flight.latents) for row in rows if row.flight is not None]
    assert len(tensors) == 5
    finish(sampler)
    assert all(row.flight is None for row in rows)
    gone = [weakref.ref(row) for row in rows]
    del rows
    gc.collect()
    assert not any(ref() for ref in (*gone, *tensors)) and len(sampler._slots) == 0


def test_an_error_that_is_kept_keeps_no_tensors(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def fail(latents: torch.Tensor, *_: object, **__: object) -> None:
        seen.append(weakref.ref(latents))
        raise RuntimeError("shapes do not match")

    sampler = Sampler(model, Room(8))
    row = begin(sampler)
    with monkeypatch.context() as patch:
        patch.setattr(model.pipeline.unet, "forward", fail)
        sampler.advance()
    error = row.future.exception(0)
    assert error is not None and error.__traceback__ is not None  # the log will tell of it
    assert [ref() for ref in seen] == [None]


def test_a_device_that_cannot_be_served_keeps_nobody_waiting(model: LoadedModel) -> None:
    sampler = Sampler(model, Room(2))

    def fail() -> None:
        sampler.advance()  # the first one is under way
        begin(sampler, seed=2).future.add_done_callback(late.append)
        raise RuntimeError("can't start new thread")

    row, late = begin(sampler, seed=1), list[Any]()
    with pytest.raises(RuntimeError):
        sampler.serve(fail, lambda: True)
    assert isinstance(row.future.exception(0), RuntimeError) and late
    assert sampler.generate(Order(make_task(), CancelToken(), lambda step: None)).steps == 10
