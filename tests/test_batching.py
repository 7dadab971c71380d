"""Rows that join and leave at every step: each is what it is alone, whatever befalls the others."""

import gc
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DPMSolverMultistepScheduler
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.encoding import Encoder
from engine.errors import BadOutput, DeviceOutOfMemory, JobCancelled
from engine.jobs import CancelToken
from engine.latents import draw_noise
from engine.memory import Room
from engine.models import LoadedModel
from engine.requests import ImageTask
from engine.rows import Picture, Row
from engine.sampler import Sampler
from tests.loaded import generate, load, make_task
from tests.test_sampler import V_PREDICTION, with_scheduler

KINDS = ["epsilon", "flow_prediction", "v_prediction"]
STRANGERS: list[dict[str, Any]] = [
    {"seed": 4, "num_inference_steps": 11, "guidance_scale": 1.0, "prompt": "a dog"},
    {"seed": 5, "num_inference_steps": 25, "guidance_scale": 3.0, "negative_prompt": "rain"},
    {"seed": 6, "num_inference_steps": 10, "guidance_scale": 30.0},
    {"seed": 7, "num_inference_steps": 14, "prompt": "long " * 30},
    {"seed": 8, "num_inference_steps": 19, "width": 72, "height": 128},
    {"seed": 9, "num_inference_steps": 12, "guidance_scale": 1.0, "negative_prompt": "unread"},
    {"seed": 10, "num_inference_steps": 16, "prompt": "", "negative_prompt": "dull " * 40},
]


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> LoadedModel:
    return load(tiny_model)


@pytest.fixture
def fresh(tiny_model: Path) -> LoadedModel:
    """A model of its own, to be damaged."""
    return load(tiny_model)


@pytest.fixture(scope="module")
def models(tiny_flow_model: Path, model: LoadedModel) -> dict[str, LoadedModel]:
    v_prediction = with_scheduler(model, DPMSolverMultistepScheduler(**V_PREDICTION))
    return dict(zip(KINDS, (model, load(tiny_flow_model), v_prediction), strict=True))


def begin(
    sampler: Sampler, on_step: Callable[[int], None] = lambda step: None, **changes: Any
) -> Row:
    return sampler.begin(make_task(**changes), CancelToken(), on_step)


def finish(sampler: Sampler) -> None:
    for _ in range(1000):
        if not sampler.advance():
            return
    raise AssertionError("rows are left for ever")


def pixels_of(row: Row) -> NDArray[np.int64]:
    return row.future.result(0).pixels.astype(int)


def alone(model: LoadedModel, task: ImageTask) -> NDArray[np.int64]:
    return generate(model, task).pixels.astype(int)


def noted_batches(model: LoadedModel, sizes: list[int]) -> Any:
    """Note the rows of every pass of the U-Net."""
    return model.pipeline.unet.register_forward_pre_hook(
        lambda module, inputs: sizes.append(len(inputs[0]))
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_among_strangers_that_join_and_leave_is_as_it_is_alone(
    models: dict[str, LoadedModel], kind: str
) -> None:
    sampler = Sampler(models[kind], Room(8))
    joins = {3: STRANGERS[:2], 5: STRANGERS[2:3], 9: STRANGERS[3:5], 14: STRANGERS[5:]}
    rows = [begin(sampler, num_inference_steps=50)]
    for step in range(20):
        rows += [begin(sampler, **changes) for changes in joins.get(step, [])]
        sampler.advance()
    finish(sampler)
    assert len(rows) == 8
    for row in rows:
        assert np.abs(pixels_of(row) - alone(models[kind], row.task)).max() <= 2


def test_rows_share_passes_and_an_unguided_one_costs_half(model: LoadedModel) -> None:
    sampler, sizes = Sampler(model, Room(8)), list[int]()
    note = noted_batches(model, sizes)
    for changes in ({}, {"guidance_scale": 1.0}, {"num_inference_steps": 12}):
        begin(sampler, **changes)
    finish(sampler)
    note.remove()
    assert sizes == [5] * 10 + [2] * 2


def test_a_row_joins_at_the_next_pass_and_leaves_when_it_is_done(model: LoadedModel) -> None:
    sampler, sizes = Sampler(model, Room(8)), list[int]()
    note = noted_batches(model, sizes)
    first = begin(sampler, num_inference_steps=20)
    for _ in range(4):
        sampler.advance()
    second = begin(sampler, num_inference_steps=10)
    for _ in range(10):
        sampler.advance()
    assert second.future.done() and not first.future.done()
    finish(sampler)
    note.remove()
    assert sizes == [2] * 4 + [4] * 10 + [2] * 6


def test_a_full_pass_takes_the_next_row_as_soon_as_one_leaves(model: LoadedModel) -> None:
    sampler, sizes = Sampler(model, Room(2)), list[int]()
    note = noted_batches(model, sizes)
    for steps in (10, 14, 10):
        begin(sampler, num_inference_steps=steps)
    finish(sampler)
    note.remove()
    assert sizes == [4] * 14 + [2] * 6


def test_sizes_take_turns(model: LoadedModel) -> None:
    sampler, order = Sampler(model, Room(8)), list[str]()
    for name, changes in {"a": {}, "b": {"width": 128}, "c": {}}.items():
        begin(sampler, lambda step, name=name: order.append(name), **changes)  # type: ignore[misc]
    finish(sampler)
    assert "".join(order) == "acb" * 10


def test_every_row_hears_of_its_own_steps(model: LoadedModel) -> None:
    sampler, told = Sampler(model, Room(8)), {10: list[int](), 13: list[int]()}
    for steps, heard in told.items():
        begin(sampler, heard.append, num_inference_steps=steps)
    finish(sampler)
    assert all(heard == list(range(1, steps + 1)) for steps, heard in told.items())


def test_previews_are_of_the_rows_own_picture(model: LoadedModel) -> None:
    def last_preview(sampler: Sampler, seed: int, among: int) -> NDArray[np.uint8]:
        shown: list[NDArray[np.uint8]] = []
        for other in range(among):
            begin(sampler, seed=100 + other)
        sampler.begin(
            make_task(seed=seed), CancelToken(), lambda step: None, lambda r: shown.append(r())
        )
        finish(sampler)
        assert len(shown) == 10
        return shown[-1]

    sampler = Sampler(model, Room(8))
    expected = last_preview(sampler, 3, 0).astype(int)
    assert np.abs(last_preview(sampler, 3, 5) - expected).max() <= 2
    assert np.abs(last_preview(sampler, 4, 0) - expected).max() > 2


def test_time_is_shared_among_those_who_share_a_step(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter(range(10_000))
    monkeypatch.setattr("engine.denoiser.time.perf_counter", lambda: float(next(now)))
    sampler = Sampler(model, Room(4))
    rows = [begin(sampler, num_inference_steps=steps) for steps in (10, 10, 20)]
    finish(sampler)
    step_s = [row.future.result(0).step_s for row in rows]
    # The clock goes on by one from the beginning of a pass to its end; the last pictures measure
    # their decoding with the same clock, between passes.
    assert step_s == pytest.approx([1 / 3, 1 / 3, (10 / 3 + 10) / 20])


@pytest.mark.parametrize("when", ["waiting", "under way", "at its last step"])
def test_cancelling_one_row_leaves_the_others_as_they_are(model: LoadedModel, when: str) -> None:
    sampler, token = Sampler(model, Room(8)), CancelToken()
    at = {"waiting": 0, "under way": 4, "at its last step": 10}[when]

    def cancel_at(step: int) -> None:
        if step == at:
            token.set(JobCancelled("stop"))

    others = [begin(sampler, seed=seed) for seed in (1, 2)]
    row = sampler.begin(make_task(), token, cancel_at)
    cancel_at(0)
    finish(sampler)
    with pytest.raises(JobCancelled):
        row.future.result(0)
    for other in others:
        assert np.abs(pixels_of(other) - alone(model, other.task)).max() <= 2


def test_a_cancelled_row_takes_no_further_step(model: LoadedModel) -> None:
    sampler, token, sizes = Sampler(model, Room(8)), CancelToken(), list[int]()
    note = noted_batches(model, sizes)
    begin(sampler)
    sampler.begin(
        make_task(), token, lambda step: token.set(JobCancelled("stop")) if step == 4 else None
    )
    finish(sampler)
    note.remove()
    assert sizes == [4] * 4 + [2] * 6


def test_a_pass_goes_on_while_one_of_its_rows_is_wanted(fresh: LoadedModel) -> None:
    sampler = Sampler(fresh, Room(8))
    tokens = [CancelToken(), CancelToken()]
    rows = [sampler.begin(make_task(seed=seed), tokens[seed], lambda step: None) for seed in (0, 1)]
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
    assert isinstance(bad.future.exception(0), BadOutput)
    for row in (good, better):
        assert np.abs(pixels_of(row) - alone(fresh, row.task)).max() <= 2


def test_who_stumbles_while_it_is_told_ends_alone(model: LoadedModel) -> None:
    def stumble(step: int) -> None:
        raise SystemExit(step)

    sampler = Sampler(model, Room(8))
    bad, good = begin(sampler, stumble), begin(sampler)
    finish(sampler)
    assert isinstance(bad.future.exception(0), SystemExit)
    assert np.abs(pixels_of(good) - alone(model, good.task)).max() <= 2


def out_of_memory() -> RuntimeError:
    return torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


class Narrow:
    """A U-Net whose memory takes only so many rows."""

    def __init__(self, model: LoadedModel, patch: pytest.MonkeyPatch, fits: int) -> None:
        self.fits = fits
        self.tried: list[int] = []
        self._forward = model.pipeline.unet.forward
        patch.setattr(model.pipeline.unet, "forward", self.forward)

    def forward(self, latents: torch.Tensor, *arguments: Any, **more: Any) -> Any:
        self.tried.append(len(latents))
        if len(latents) > self.fits:
            raise out_of_memory()
        return self._forward(latents, *arguments, **more)


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
        assert np.abs(pixels_of(row) - alone(model, row.task)).max() <= 2


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
    assert np.array_equal(pixels_of(good), alone(model, good.task))


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
    assert np.abs(pixels_of(other) - alone(model, other.task)).max() <= 2


def test_generate_takes_along_what_was_begun_beside_it(model: LoadedModel) -> None:
    sampler = Sampler(model, Room(8))
    beside = begin(sampler, seed=9)
    picture: Picture = sampler.generate(make_task(), CancelToken(), lambda step: None)
    assert beside.future.done()
    assert np.abs(picture.pixels - alone(model, make_task())).max() <= 2


def test_on_a_cpu_pictures_go_one_at_a_time(model: LoadedModel) -> None:
    sampler, sizes, order = Sampler(model), list[int](), list[int]()
    assert sampler.most_rows == 1
    note = noted_batches(model, sizes)
    for number in range(3):
        begin(sampler, lambda step, number=number: order.append(number))  # type: ignore[misc]
    finish(sampler)
    note.remove()
    assert set(sizes) == {2} and order == [0] * 10 + [1] * 10 + [2] * 10


def test_nothing_is_kept_of_rows_that_are_gone(model: LoadedModel) -> None:
    sampler, token = Sampler(model, Room(8)), CancelToken()
    rows = [begin(sampler, seed=seed, num_inference_steps=10 + seed) for seed in range(4)]
    rows.append(sampler.begin(make_task(), token, lambda step: token.set(JobCancelled("stop"))))
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


def test_prompts_are_encoded_once(model: LoadedModel) -> None:
    sampler, encoded = Sampler(model, Room(4)), list[int]()
    note = model.pipeline.text_encoder.register_forward_pre_hook(
        lambda module, inputs: encoded.append(len(inputs[0]))
    )
    for seed in range(6):
        begin(sampler, seed=seed)  # one prompt, and the empty negative
    begin(sampler, prompt="another")
    finish(sampler)
    note.remove()
    assert encoded == [1] * 3


def test_only_the_latest_prompts_are_kept(model: LoadedModel) -> None:
    encoder = Encoder(model)
    with torch.inference_mode():
        for number in range(100):
            encoder.encode(make_task(prompt=f"number {number}"), guided=True)
    assert len(encoder._kept) == 64
    assert ("", 1) in encoder._kept and ("number 0", 1) not in encoder._kept


@given(st.integers(1, 16), st.floats(1, 1e7), st.integers(1, 65536))
def test_room_is_for_one_picture_at_least_and_never_for_more_than_fits(
    most: int, fitting: float, cells: int
) -> None:
    room = Room(most, fitting)
    pictures, rows = room.pictures(cells), room.rows(cells)
    assert 1 <= pictures <= most and pictures & (pictures - 1) == 0
    assert pictures == 1 or 2 * pictures * cells <= fitting
    assert rows == 1 or rows * cells <= fitting
    room.shrink(max(1, rows // 2), cells)
    assert room.rows(cells) == max(1, rows // 2)
    room.recover()
    assert (room.pictures(cells), room.rows(cells)) == (pictures, rows)
