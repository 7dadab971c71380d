"""Cancelling a picture at every place, and what can go wrong while it is drawn."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.errors import BadOutput, DeviceOutOfMemory, JobCancelled
from engine.jobs import CancelToken
from engine.models import LoadedModel
from engine.rows import Order
from engine.sampler import (
    Sampler,
)
from tests.loaded import generate, load, make_task


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> LoadedModel:
    return load(tiny_model)


@pytest.fixture
def fresh(tiny_model: Path) -> LoadedModel:
    """A model of its own, to be damaged."""
    return load(tiny_model)


def cancel(token: CancelToken) -> None:
    token.set(JobCancelled("stop"))


def test_a_token_already_set_stops_before_any_work(fresh: LoadedModel) -> None:
    token = CancelToken()
    cancel(token)
    calls: list[str] = []
    fresh.pipeline.text_encoder.register_forward_pre_hook(lambda *_: calls.append("text"))
    with pytest.raises(JobCancelled):
        Sampler(fresh).generate(Order(make_task(), token, lambda step: None))
    assert calls == []


def test_a_cancel_stops_within_one_step(fresh: LoadedModel) -> None:
    token, calls = CancelToken(), []
    fresh.pipeline.unet.register_forward_hook(lambda *_: calls.append("unet"))
    with pytest.raises(JobCancelled):
        Sampler(fresh).generate(
            Order(make_task(), token, lambda step: cancel(token) if step == 4 else None)
        )
    assert len(calls) == 4


@pytest.mark.parametrize(
    ("cancelled_in", "never_reached"),
    [
        ("unet.conv_in", "unet.conv_out"),
        ("unet.down_blocks.0.resnets.0", "unet.down_blocks.1"),
        ("unet.mid_block.resnets.0", "unet.conv_out"),
        ("unet.up_blocks.0.resnets.0", "unet.up_blocks.1"),
        ("vae.decoder.conv_in", "vae.decoder.conv_out"),
        ("vae.decoder.up_blocks.0", "vae.decoder.up_blocks.1"),
        ("text_encoder", "unet"),
    ],
)
def test_a_cancel_stops_inside_a_step(
    fresh: LoadedModel, cancelled_in: str, never_reached: str
) -> None:
    token, reached = CancelToken(), []
    find = {
        f"{part}.{name}".rstrip("."): module
        for part in ("unet", "vae", "text_encoder")
        for name, module in getattr(fresh.pipeline, part).named_modules()
    }
    sampler = Sampler(fresh)
    find[cancelled_in].register_forward_hook(lambda *_: cancel(token))
    find[never_reached].register_forward_hook(lambda *_: reached.append(never_reached))
    with pytest.raises(JobCancelled):
        sampler.generate(Order(make_task(), token, lambda step: None))
    assert reached == []


def test_a_cancel_stops_inside_the_text_encoder(fresh: LoadedModel) -> None:
    token, done = CancelToken(), []
    encoder = fresh.pipeline.text_encoder
    (embeddings,) = (m for name, m in encoder.named_modules() if name.endswith("embeddings"))
    embeddings.register_forward_hook(lambda *_: cancel(token))
    encoder.register_forward_hook(lambda *_: done.append(True))
    with pytest.raises(JobCancelled):
        Sampler(fresh).generate(Order(make_task(), token, lambda step: None))
    assert done == []


def test_after_a_cancel_the_next_picture_is_as_ever(model: LoadedModel) -> None:
    sampler, token = Sampler(model), CancelToken()
    expected = sampler.generate(Order(make_task(), CancelToken(), lambda step: None)).pixels
    with pytest.raises(JobCancelled):
        sampler.generate(Order(make_task(seed=8), token, lambda step: cancel(token)))
    after = sampler.generate(Order(make_task(), CancelToken(), lambda step: None)).pixels
    assert np.array_equal(after, expected)


@pytest.mark.parametrize("part", ["unet.conv_out", "vae.decoder.conv_out", "text_encoder"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_invalid_numbers_are_told_and_not_painted_black(
    fresh: LoadedModel, part: str, value: float
) -> None:
    damaged: Any = fresh.pipeline
    for name in part.split("."):
        damaged = getattr(damaged, name)
    with torch.no_grad():
        next(damaged.parameters()).fill_(value)
    with pytest.raises(BadOutput):
        generate(fresh, make_task())


def allocation_failure() -> RuntimeError:
    """The real error of a CPU that has no such memory."""
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    return caught.value


@pytest.mark.parametrize(
    "fault",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("MPS backend out of memory (MPS allocated: 5 GB)"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        allocation_failure(),
    ],
)
@pytest.mark.parametrize("part", ["unet", "vae.decoder"])
def test_out_of_memory_is_told_with_advice_and_the_next_picture_succeeds(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch, fault: RuntimeError, part: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise fault

    damaged: Any = model.pipeline
    for name in part.split("."):
        damaged = getattr(damaged, name)
    with monkeypatch.context() as patch:
        patch.setattr(damaged, "forward", fail)
        with pytest.raises(DeviceOutOfMemory) as caught:
            generate(model, make_task())
    assert "smaller" in caught.value.advice
    assert generate(model, make_task()).pixels.shape == (64, 64, 3)


def test_what_does_not_fit_at_once_is_drawn_in_halves(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = generate(model, make_task()).pixels.astype(int)
    unet, batches = model.pipeline.unet, []
    forward = unet.forward

    def small(*inputs: Any, encoder_hidden_states: torch.Tensor, **more: Any) -> Any:
        batches.append(len(encoder_hidden_states))
        if len(encoder_hidden_states) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return forward(*inputs, encoder_hidden_states=encoder_hidden_states, **more)

    monkeypatch.setattr(unet, "forward", small)
    pixels = generate(model, make_task()).pixels
    assert np.abs(pixels - expected).max() <= 2
    assert batches[0] == 2 and set(batches[1:]) == {1}  # it is not tried again at every step


def test_another_runtime_error_is_not_taken_for_memory(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(model.pipeline.unet, "forward", fail)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        generate(model, make_task())


@pytest.mark.parametrize("end", ["finished", "cancelled"])
def test_offloaded_parts_leave_the_device_however_it_ends(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    freed: list[str] = []
    monkeypatch.setattr(model.pipeline, "maybe_free_model_hooks", lambda: freed.append(end))
    token = CancelToken()
    try:
        stop = cancel if end == "cancelled" else lambda token: None
        Sampler(model).generate(Order(make_task(), token, lambda step: stop(token)))
    except JobCancelled:
        pass
    assert freed == [end]
