"""Models on a CPU: which of their parts are packed, and for what."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel
from torch import Size, nn

from engine import winograd
from engine.blocks import PackedFeedForward, PackedResidual
from engine.choice import BUNDLED
from engine.cpu import _input_sizes
from engine.denoiser import predicting
from engine.errors import JobCancelled, ModelUnavailable
from engine.jobs import CancelToken
from engine.packing import PackedConvolution, can_pack
from engine.rows import Order
from engine.sampler import Sampler
from engine.winograd import WinogradConvolution
from tests.loaded import generate, load, make_task
from tests.test_sampler import untouched
from tests.tiny_families import save_tiny_xl

pytestmark = pytest.mark.skipif(
    not can_pack(torch.float32), reason="weights are packed on x86 processors only"
)


def kinds(module: nn.Module) -> set[type]:
    return {type(part) for part in module.modules()}


@pytest.mark.parametrize("kind", ["tiny", "bundled"])
def test_all_that_draws_is_packed_and_nothing_is_kept_twice(kind: str, tiny_model: Path) -> None:
    pipeline = load(tiny_model if kind == "tiny" else BUNDLED).pipeline
    packed = kinds(pipeline.unet)
    assert {PackedConvolution, PackedFeedForward, PackedResidual} <= packed
    assert nn.Conv2d not in packed | kinds(pipeline.vae.decoder)
    assert not [name for name, part in pipeline.unet.named_parameters() if part.ndim == 4]


def test_what_encodes_is_left_as_it_is(tiny_model: Path) -> None:
    encoder = load(tiny_model).pipeline.vae.encoder
    assert PackedConvolution not in kinds(encoder)
    expected = untouched(tiny_model).vae.encoder.state_dict()
    assert all(torch.equal(part, expected[name]) for name, part in encoder.state_dict().items())


@torch.inference_mode()
def test_sizes_are_those_that_parts_are_given(tiny_model: Path) -> None:
    unet, real = untouched(tiny_model).unet, dict[str, Size]()
    inputs = torch.randn(2, 4, 16, 8), torch.tensor([3, 900]), torch.randn(2, 77, 32)
    notes = [
        part.register_forward_pre_hook(
            lambda part, given, name=name: real.update({name: given[0].shape} if given else {})
        )
        for name, part in unet.named_modules()
    ]
    predicting(unet)(*inputs)
    for note in notes:
        note.remove()
    latents, timesteps, prompts = (one.to("meta") for one in inputs)
    found = _input_sizes(unet, lambda twin: twin(latents, timesteps, prompts))
    assert found == real
    assert {one.device.type for one in unet.parameters()} == {"cpu"}


@pytest.mark.usefixtures("unpacked")
def test_where_kernels_take_none_a_model_is_as_diffusers_has_it(tiny_model: Path) -> None:
    pipeline = load(tiny_model).pipeline
    assert not (kinds(pipeline.unet) | kinds(pipeline.vae)) & {PackedConvolution, PackedResidual}
    assert kinds(pipeline.unet) == kinds(untouched(tiny_model).unet)


def test_other_families_keep_their_parts(tmp_path: Path) -> None:
    pipeline = load(save_tiny_xl(tmp_path / "xl")).pipeline
    assert not (kinds(pipeline.unet) | kinds(pipeline.vae)) & {PackedConvolution, PackedResidual}


def test_a_small_decoder_is_packed_too(tiny_model: Path, tiny_decoder: Path) -> None:
    vae = load(tiny_model, decoder=str(tiny_decoder)).pipeline.vae
    assert PackedConvolution in kinds(vae.decoder) and nn.Conv2d not in kinds(vae.decoder)


@pytest.mark.parametrize("by_tiles", [False, True])
@pytest.mark.parametrize("size", [(64, 64), (128, 72)])
def test_pictures_are_those_of_an_unpacked_model(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], by_tiles: bool
) -> None:
    if by_tiles:
        monkeypatch.setattr(winograd, "_LEAST_TILES", 1)
        monkeypatch.setattr(winograd, "_LEAST_CHANNEL_PRODUCT", 1)
    width, height = size
    task = make_task(width=width, height=height, guidance_scale=3.0)
    model = load(BUNDLED)
    if by_tiles:
        for part in (model.pipeline.unet, model.pipeline.vae.decoder):
            assert WinogradConvolution in kinds(part)
    packed = generate(model, task).pixels.astype(int)
    monkeypatch.setattr("engine.cpu.can_pack", lambda dtype: False)
    plain = generate(load(BUNDLED), task).pixels.astype(int)
    assert packed.std() > 10
    assert np.abs(packed - plain).max() <= 1


def test_a_picture_can_be_stopped_before_every_packed_block(tiny_model: Path) -> None:
    model, token, reached = load(tiny_model), CancelToken(), list[str]()
    blocks = [
        (name, part)
        for name, part in model.pipeline.unet.named_modules()
        if isinstance(part, PackedResidual)
    ]
    for name, part in blocks:
        part.norm1.register_forward_hook(lambda *_, name=name: reached.append(name))
    blocks[1][1].register_forward_hook(lambda *_: token.set(JobCancelled("enough")))
    with pytest.raises(JobCancelled, match="enough"):
        Sampler(model).generate(Order(make_task(), token, lambda step: None))
    assert reached == [name for name, _ in blocks[:2]]


def test_parts_that_do_not_fit_each_other_are_told(tiny_model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_model, tmp_path / "copy"))
    config = {**untouched(tiny_model).unet.config, "cross_attention_dim": 24}
    UNet2DConditionModel.from_config(config).save_pretrained(folder / "unet")
    with pytest.raises(ModelUnavailable, match="files could not be read") as caught:
        load(folder)
    assert caught.value.advice


def test_no_weight_lies_in_the_file_it_came_from(tiny_model: Path) -> None:
    def storages(module: nn.Module) -> set[int]:
        return {part.untyped_storage().data_ptr() for part in module.parameters()}

    for module in (load(tiny_model).pipeline.unet, load(tiny_model).pipeline.vae):
        assert len(storages(module)) == len(list(module.parameters()))
