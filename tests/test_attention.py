"""Attention over many tokens: the numbers of torch's own, whatever the shape."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention as torchs_own

from engine import attention
from engine.attention import ManyTokens, attend, speed_up_attention
from tests.loaded import load

SHAPES = [
    pytest.param((2, 8, 1024, 40), 1024, id="a width that is padded"),
    pytest.param((1, 2, 2500, 64), 2500, id="a last slice that is smaller"),
    pytest.param((1, 1, 3, 16), 5000, id="fewer queries than a slice has"),
]


def draw(shape: tuple[int, ...], keys: int, strength: float = 1.0) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    *outer, _, width = shape
    query, key, value = (
        torch.randn((*outer, count, width), generator=generator) for count in (shape[2], keys, keys)
    )
    return query * strength, key + 3, value


@pytest.mark.parametrize(("shape", "keys"), SHAPES)
def test_gives_the_numbers_of_torchs_own_kernel(shape: tuple[int, ...], keys: int) -> None:
    tensors = draw(shape, keys)
    torch.testing.assert_close(attend(*tensors), torchs_own(*tensors))


@pytest.mark.parametrize(("strength", "most"), [(1, 0.01), (8, 0.03)])
def test_in_bfloat16_it_stays_near_the_truth(strength: float, most: float) -> None:
    tensors = [tensor.bfloat16() for tensor in draw((2, 4, 1024, 40), 1024, strength)]
    truth = torchs_own(*(tensor.float() for tensor in tensors))
    found = attend(*tensors)
    assert found.dtype == torch.bfloat16
    assert (found.float() - truth).square().mean().sqrt() < most * truth.std()


@pytest.mark.parametrize(
    ("strength", "shift"),
    [(40.0, 0.0), (1.0, 60.0), (1.0, -60.0), (0.0, 0.0)],
    ids=["scores of any size", "powers too large", "powers too small", "all alike"],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_scores_may_leave_the_range_of_powers(
    strength: float, shift: float, dtype: torch.dtype
) -> None:
    query, key, value = draw((1, 2, 64, 16), 100, strength)
    # A share of the queries and keys is moved along one axis: the mean of the keys does not help.
    query[..., ::2, 0], key[..., :50, 0], key[..., 50:, 0] = shift, 9.0, -9.0
    tensors = [tensor.to(dtype) for tensor in (query, key, value)]
    truth = torchs_own(*(tensor.float() for tensor in tensors))
    found = attend(*tensors).float()
    assert (found - truth).square().mean().sqrt() < (1e-5 if dtype == torch.float32 else 0.06)


def test_one_head_out_of_range_is_computed_again_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    query, key, value = draw((1, 3, 64, 16), 100)
    query[:, 1] *= 1000
    again: list[bool] = []

    def spy(*tensors: Tensor, in_any_range: bool = False) -> None:
        again.append(in_any_range)
        mix(*tensors, in_any_range=in_any_range)

    mix = attention._mix
    monkeypatch.setattr(attention, "_mix", spy)
    expected = torchs_own(query, key, value)
    torch.testing.assert_close(attend(query, key, value), expected, atol=1e-3, rtol=0)
    assert again == [False, False, True, False]


def test_what_is_no_number_stays_none() -> None:
    query, key, value = draw((1, 2, 8, 16), 20)
    query[0, 0, 3] = float("nan")
    found = attend(query, key, value)
    assert found[0, 0, 3].isnan().all() and torch.isfinite(found[0, 1]).all()


@torch.inference_mode()
def test_a_unet_gives_the_same_numbers(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unet = load(tiny_model).pipeline.unet
    latents, embeddings = torch.randn(2, 4, 8, 8), torch.randn(2, 77, 32)
    before = unet(latents, torch.tensor([3, 900]), embeddings).sample
    seen: list[tuple[int, ...]] = []

    def spy(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        seen.append(tuple(key.shape))
        return attend(query, key, value)

    monkeypatch.setattr("engine.attention.attend", spy)
    monkeypatch.setattr("engine.attention._MANY", 50)
    speed_up_attention(unet)
    torch.testing.assert_close(unet(latents, torch.tensor([3, 900]), embeddings).sample, before)
    assert {shape[2] for shape in seen} == {77}  # the texts; few latents stay with torch's kernel


def test_a_block_with_extras_is_left_alone(tiny_model: Path) -> None:
    unet = load(tiny_model).pipeline.unet
    first, *others = [block for block in unet.modules() if hasattr(block, "set_processor")]
    first.rescale_output_factor = 2.0
    speed_up_attention(unet)
    assert not isinstance(first.processor, ManyTokens)
    assert others and all(isinstance(block.processor, ManyTokens) for block in others)


@pytest.mark.parametrize(("dtype", "faster"), [("bfloat16", True), ("float32", False)])
def test_it_is_used_where_it_is_faster(tiny_model: Path, dtype: str, faster: bool) -> None:
    processors = load(tiny_model, dtype=dtype).pipeline.unet.attn_processors.values()
    assert {isinstance(processor, ManyTokens) for processor in processors} == {faster}
