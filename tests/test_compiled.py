"""Rows through programs: the model compiles whole, and the pictures are the same.

Here a program is what torch's tracer makes of the function, called again with the same tensors;
on CUDA it is machine code recorded as a graph.
"""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from api.answers import health_of
from engine.choice import BUNDLED
from engine.decoding import decoding
from engine.denoiser import predicting
from engine.errors import JobCancelled
from engine.graphs import choose_backend
from engine.jobs import CancelToken
from engine.memory import Room
from engine.models import LoadedModel
from engine.rows import Order
from engine.sampler import Sampler
from engine.shapes import Run
from tests.batches import alone, begin, finish, pixels_of
from tests.conftest import EngineFactory
from tests.loaded import load, make_settings, make_task
from tests.tiny_pipeline import save_tiny_pipeline
from tests.work import image, until
from ui.engine_facts import engine_rows


class Tracer:
    """A backend that needs neither CUDA nor a C compiler."""

    def __init__(self) -> None:
        self.made: list[tuple[int, ...]] = []
        self.replays = 0
        """Of what was compiled."""
        self.forgotten = 0

    def compile(self, run: Run, places: tuple[Tensor, ...]) -> Run:
        traced = torch.compile(run, backend="eager", fullgraph=True, dynamic=False)
        traced(*places)
        return traced

    def capture(
        self, name: Run, run: Run, places: tuple[Tensor, ...]
    ) -> tuple[Callable[[], None], Tensor]:
        self.made.append(tuple(places[0].shape))
        with torch.compiler.set_stance("fail_on_recompile"):  # what was compiled fits this thread
            output = run(*places).clone()

        def replay() -> None:
            self.replays += run is not name
            output.copy_(run(*places))

        return replay, output

    def forget(self) -> None:
        self.forgotten += 1


@pytest.fixture(scope="module", autouse=True)
def no_packed_weights() -> Iterator[None]:
    """They are for CPUs; where there are programs, blocks are as diffusers has them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.cpu.can_pack", lambda dtype: False)
        yield


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return load(save_tiny_pipeline(tmp_path_factory.mktemp("tiny") / "model"))


def draw(sampler: Sampler, changes: list[dict[str, object]]) -> list[np.ndarray]:
    rows = [begin(sampler, **change) for change in changes]
    finish(sampler)
    return [pixels_of(row) for row in rows]


def without_memory_once(module: torch.nn.Module) -> list[int]:
    """Have the next call of a module find no memory; notes the rows of every call from here on."""
    rows: list[int] = []

    def note(module: torch.nn.Module, inputs: tuple[Tensor, ...]) -> None:
        rows.append(len(inputs[0]))
        if len(rows) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory")

    module.register_forward_pre_hook(note)
    return rows


def compile_all(sampler: Sampler) -> None:
    """Wait for the compiler, and take what it has made, until it has no more to do."""
    for _ in range(500):
        sampler.advance()
        for thread in threading.enumerate():
            if thread.name == "compiler":
                thread.join(60)
        if sampler.programs is None or not sampler.programs.pending:
            return


@pytest.mark.parametrize("kind", ["tiny", "bundled"])
@torch.inference_mode()
def test_the_unet_and_the_decoder_compile_whole(model: LoadedModel, kind: str) -> None:
    pipeline = (model if kind == "tiny" else load(BUNDLED)).pipeline
    config = pipeline.unet.config
    latents = torch.randn(2, config.in_channels, 8, 8)
    texts = torch.randn(2, 77, config.cross_attention_dim)
    functions = [
        (predicting(pipeline.unet), (latents, torch.tensor([3, 900]), texts)),
        (decoding(pipeline.vae), (latents[:1],)),
    ]
    for run, inputs in functions:
        compiled = torch.compile(run, backend="eager", fullgraph=True, dynamic=False)
        torch.testing.assert_close(compiled(*inputs), run(*inputs))


def test_pictures_by_programs_are_those_without(model: LoadedModel) -> None:
    tracer = Tracer()
    sampler = Sampler(model, Room(4), tracer)
    changes: list[dict[str, object]] = [
        {"seed": 1, "num_inference_steps": 10},
        {"seed": 2, "num_inference_steps": 14},
        {"seed": 3, "num_inference_steps": 12, "guidance_scale": 1.0},
    ]
    expected = [alone(model, make_task(**change)) for change in changes]
    for _ in range(3):
        draw(sampler, changes)
        compile_all(sampler)
    before = tracer.replays
    for found, wanted in zip(draw(sampler, changes), expected, strict=True):
        assert np.abs(found - wanted).max() <= 2
    assert tracer.replays - before >= 10
    # Five rows of three pictures, one of them unguided, are filled up to six; and so on down.
    assert {shape[0] for shape in tracer.made} >= {6, 4, 2, 1}


def test_every_size_has_its_own(model: LoadedModel) -> None:
    tracer = Tracer()
    sampler = Sampler(model, Room(4), tracer)
    for _ in range(2):
        draw(sampler, [{"width": 64}, {"width": 96}])
        compile_all(sampler)
    assert {shape[-2:] for shape in tracer.made} >= {(8, 8), (8, 12)}


def test_as_many_rows_as_fit_a_pass_are_expected(model: LoadedModel) -> None:
    tracer = Tracer()
    sampler = Sampler(model, Room(4), tracer)
    draw(sampler, [{"width": 64, "height": 64}])
    compile_all(sampler)
    assert {shape[0] for shape in tracer.made if shape[-1] == 8} == {2, 4, 8}


def test_a_picture_made_by_programs_is_cancelled_within_a_step(model: LoadedModel) -> None:
    sampler = Sampler(model, Room(4), Tracer())
    for _ in range(3):
        draw(sampler, [{}])
        compile_all(sampler)
    token, steps = CancelToken(), list[int]()

    def on_step(step: int) -> None:
        steps.append(step)
        if step == 4:
            token.set(JobCancelled("not wanted"))

    row = sampler.begin(Order(make_task(), token, on_step))
    finish(sampler)
    with pytest.raises(JobCancelled):
        row.result(0)
    assert steps == [1, 2, 3, 4]


def test_programs_are_for_cuda_alone_and_can_be_switched_off() -> None:
    cuda = torch.device("cuda")
    assert choose_backend(cuda, make_settings()) is not None
    assert choose_backend(cuda, make_settings(compile=False)) is None
    assert choose_backend(cuda, make_settings(offload=True)) is None
    assert choose_backend(torch.device("cpu"), make_settings()) is None


def test_a_model_that_predicts_flow_has_programs_too(tmp_path: Path) -> None:
    flow = load(save_tiny_pipeline(tmp_path / "flow", flow=True))
    tracer = Tracer()
    sampler = Sampler(flow, Room(2), tracer)
    for _ in range(3):
        (found,) = draw(sampler, [{}])
        compile_all(sampler)
    assert tracer.replays > 0 and np.abs(found - alone(flow, make_task())).max() <= 2


def test_programs_make_room_before_fewer_rows_are_tried(tmp_path: Path) -> None:
    fresh = load(save_tiny_pipeline(tmp_path / "tiny"))
    tracer = Tracer()
    sampler = Sampler(fresh, Room(4), tracer)
    for _ in range(3):
        draw(sampler, [{"seed": 1}])
        compile_all(sampler)
    assert tracer.made and tracer.forgotten == 0
    rows = without_memory_once(fresh.pipeline.unet)
    found = draw(sampler, [{"seed": 1}, {"seed": 2}])  # of two, there is no program yet
    assert tracer.forgotten == 1 and set(rows) == {4}
    expected = alone(fresh, make_task(seed=2))
    assert np.abs(found[1] - expected).max() <= 2


def test_a_decoder_without_memory_has_programs_let_go(tmp_path: Path) -> None:
    fresh = load(save_tiny_pipeline(tmp_path / "tiny"))
    tracer = Tracer()
    sampler = Sampler(fresh, Room(4), tracer)
    for _ in range(3):
        draw(sampler, [{"width": 96}])
        compile_all(sampler)
    calls = without_memory_once(fresh.pipeline.vae.decoder)
    (found,) = draw(sampler, [{}])  # a size whose decoding has no program yet
    assert calls == [1, 1] and tracer.forgotten == 1
    assert np.abs(found - alone(fresh, make_task())).max() <= 2


def test_a_recording_that_fails_ends_no_picture(model: LoadedModel) -> None:
    tracer = Tracer()
    sampler = Sampler(model, Room(4), tracer)

    def fail(name: Run, run: Run, places: tuple[Tensor, ...]) -> tuple[Callable[[], None], Tensor]:
        raise RuntimeError("this device cannot record")

    tracer.capture = fail  # type: ignore[method-assign]
    for _ in range(3):
        (found,) = draw(sampler, [{}])
        compile_all(sampler)
    assert tracer.forgotten == 1
    assert np.abs(found - alone(model, make_task())).max() <= 2


def test_health_and_page_tell_how_far_they_are(
    make_engine: EngineFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracer = Tracer()
    monkeypatch.setattr("engine.graphs.choose_backend", lambda device, settings: tracer)
    engine = make_engine()
    until(lambda: engine.status().model_state == "ready")
    assert health_of(engine).model_dump()["programs"] == {"ready": 0, "pending": 0}

    def is_warm() -> bool:
        job = engine.submit(image())
        assert job.wait(60) and job.error is None
        programs = engine.status().programs
        return programs is not None and programs.ready > 0 and programs.pending == 0

    until(is_warm)
    ready = len(set(tracer.made))  # each was recorded, and again when it was compiled
    assert health_of(engine).model_dump()["programs"] == {"ready": ready, "pending": 0}
    row = ("Compiled for the sizes in use", f"{ready} ready, 0 to come")
    assert row in engine_rows(engine, engine.status())
