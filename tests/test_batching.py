"""Rows that join and leave at every step: each is what it is alone, whatever befalls the others."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DPMSolverMultistepScheduler
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine import encoding
from engine.encoding import Encoder
from engine.jobs import CancelToken
from engine.memory import Room
from engine.models import LoadedModel
from engine.rows import Order, Picture
from engine.sampler import Sampler
from tests.batches import alone, begin, finish, noted_batches, pixels_of
from tests.loaded import load, make_task
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


@pytest.fixture(scope="module")
def models(tiny_flow_model: Path, model: LoadedModel) -> dict[str, LoadedModel]:
    v_prediction = with_scheduler(model, DPMSolverMultistepScheduler(**V_PREDICTION))
    return dict(zip(KINDS, (model, load(tiny_flow_model), v_prediction), strict=True))


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
        assert np.abs(pixels_of(row) - alone(models[kind], row.order.task)).max() <= 2


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
            Order(
                make_task(seed=seed), CancelToken(), lambda step: None, lambda r: shown.append(r())
            )
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
    monkeypatch.setattr("engine.stopwatch.time.perf_counter", lambda: float(next(now)))
    sampler = Sampler(model, Room(4))
    rows = [begin(sampler, num_inference_steps=steps) for steps in (10, 10, 20)]
    finish(sampler)
    pictures = [row.result(0) for row in rows]
    step_s = [picture.step_s for picture in pictures]
    # The clock goes on by one from the beginning of a pass to its end; the last pictures measure
    # their decoding with the same clock, between passes.
    assert step_s == pytest.approx([1 / 3, 1 / 3, (10 / 3 + 10) / 20])
    passes = [(picture.pass_s, picture.pass_rows) for picture in pictures]
    assert passes == [(1, 6), (1, 6), (1, 4)]  # the last one was alone for half of its passes


def test_generate_takes_along_what_was_begun_beside_it(model: LoadedModel) -> None:
    sampler = Sampler(model, Room(8))
    beside = begin(sampler, seed=9)
    picture: Picture = sampler.generate(Order(make_task(), CancelToken(), lambda step: None))
    assert beside.future.done()
    assert np.abs(picture.pixels - alone(model, make_task())).max() <= 2


@pytest.mark.parametrize("useful", [2.5e11, 0.0], ids=["a small model", "a large model"])
def test_on_a_cpu_pictures_share_passes_where_that_is_faster(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch, useful: float
) -> None:
    monkeypatch.setattr("engine.sharing._USEFUL", useful)
    sampler, sizes, order = Sampler(model), list[int](), list[int]()
    most = sampler.most_rows
    assert most == (4 if useful else 1)
    note = noted_batches(model, sizes)
    for number in range(8):
        begin(sampler, lambda step, number=number: order.append(number))  # type: ignore[misc]
    finish(sampler)
    note.remove()
    assert sizes == [2 * most] * (80 // most)
    assert order == [n for first in range(0, 8, most) for n in [*range(first, first + most)] * 10]


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


def test_only_the_latest_prompts_are_kept_and_not_the_long_ones(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = Encoder(model)
    with torch.inference_mode():
        for number in range(100):
            encoder.encode(make_task(prompt=f"number {number}"), guided=True)
    assert len(encoder._kept) == 64
    assert ("", 1) in encoder._kept and ("number 0", 1) not in encoder._kept
    long = make_task(prompt="a fox and a hare, " * 200)
    monkeypatch.setattr(encoding, "_KEPT_BYTES", 1000)
    with torch.inference_mode():
        assert torch.equal(encoder.encode(long, guided=True), encoder.encode(long, guided=True))
    assert len(encoder._kept) == 0


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


def test_rows_that_wait_take_turns_by_who_asked(model: LoadedModel) -> None:
    sampler, done = Sampler(model, Room(1)), list[int]()

    def begin_for(client: str, seed: int) -> None:
        task = make_task(seed=seed)
        row = sampler.begin(Order(task, CancelToken(), lambda step: None, turn=client))
        row.future.add_done_callback(lambda _: done.append(seed))
        return row

    for seed in range(4):
        begin_for("many", seed)
    begin_for("one", 4)
    finish(sampler)
    assert done == [0, 4, 1, 2, 3]
