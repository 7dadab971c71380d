"""Rows of one sampler: begun, drawn to the end, and what each is alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.jobs import CancelToken
from engine.models import LoadedModel
from engine.requests import ImageTask
from engine.rows import Order, Row
from engine.sampler import Sampler
from tests.loaded import generate, make_task


def begin(
    sampler: Sampler, on_step: Callable[[int], None] = lambda step: None, **changes: Any
) -> Row:
    return sampler.begin(Order(make_task(**changes), CancelToken(), on_step))


def finish(sampler: Sampler) -> None:
    for _ in range(1000):
        if not sampler.advance():
            return
    raise AssertionError("rows are left for ever")


def pixels_of(row: Row) -> NDArray[np.int64]:
    return row.result(0).pixels.astype(int)


def alone(model: LoadedModel, task: ImageTask) -> NDArray[np.int64]:
    return generate(model, task).pixels.astype(int)


def noted_batches(model: LoadedModel, sizes: list[int]) -> Any:
    """Note the rows of every pass of the U-Net."""
    return model.pipeline.unet.register_forward_pre_hook(
        lambda module, inputs, given: sizes.append(len(given["encoder_hidden_states"])),
        with_kwargs=True,
    )
