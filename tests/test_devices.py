"""Which device and dtype are chosen."""

import pytest
import torch

from engine.devices import choose_device, choose_dtype
from engine.errors import ModelUnavailable
from tests.loaded import make_settings

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("cuda", "mps", "device"),
    [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu"), (True, False, "cuda")],
)
def test_auto_takes_cuda_then_mps_then_the_cpu(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, device: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device(make_settings(device="auto")) == torch.device(device)
    assert choose_device(make_settings(device="cpu")) == CPU


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ModelUnavailable, match=device) as caught:
        choose_device(make_settings(device=device))
    assert "--device" in caught.value.advice


@pytest.mark.parametrize(
    ("capabilities", "dtype"),
    [
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
        ({"avx512_bf16": False, "amx_bf16": False}, torch.float32),
        ({"avx2": True}, torch.float32),
    ],
)
def test_auto_takes_bfloat16_only_where_the_cpu_computes_it(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], dtype: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert choose_dtype(make_settings(dtype="auto"), CPU) == dtype


@pytest.mark.parametrize(
    ("device", "in_bfloat16", "able", "dtype"),
    [
        ("cuda", False, True, torch.float16),
        ("cuda", True, True, torch.bfloat16),
        ("cuda", True, False, torch.float16),
        ("mps", False, True, torch.float16),
        ("mps", True, True, torch.bfloat16),
    ],
)
def test_auto_takes_half_precision_on_gpus(
    monkeypatch: pytest.MonkeyPatch,
    device: str,
    in_bfloat16: bool,
    able: bool,
    dtype: torch.dtype,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: able)
    auto = make_settings(dtype="auto")
    assert choose_dtype(auto, torch.device(device), in_bfloat16=in_bfloat16) == dtype


def test_a_dtype_asked_for_is_taken() -> None:
    assert choose_dtype(make_settings(dtype="bfloat16"), CPU) == torch.bfloat16
    assert choose_dtype(make_settings(dtype="float32"), torch.device("cuda")) == torch.float32


def test_float16_on_a_cpu_is_refused() -> None:
    with pytest.raises(ModelUnavailable, match="float16") as caught:
        choose_dtype(make_settings(dtype="float16"), CPU)
    assert "--dtype" in caught.value.advice
