"""On which device a model computes, and in which dtype."""

import torch

from engine.errors import ModelUnavailable
from engine.settings import Settings

_DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32}


def choose_device(settings: Settings) -> torch.device:
    """The device asked for, or the best there is.

    Raises:
        ModelUnavailable: the device asked for is not there.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if settings.device == "auto":
        return torch.device(next((name for name, here in there.items() if here), "cpu"))
    if not there.get(settings.device, True):
        raise ModelUnavailable(
            f"There is no {settings.device} device on this machine.",
            advice="Start with --device auto or --device cpu.",
        )
    return torch.device(settings.device)


def choose_dtype(
    settings: Settings, device: torch.device, *, in_bfloat16: bool = False
) -> torch.dtype:
    """The dtype asked for, or the fastest the device computes natively.

    Args:
        in_bfloat16: the model was trained in it, and may overflow in float16.

    Raises:
        ModelUnavailable: float16 was asked for on a CPU, which would take hours a picture.
    """
    if settings.dtype == "auto":
        if device.type != "cpu":
            able = device.type != "cuda" or torch.cuda.is_bf16_supported(including_emulation=False)
            return torch.bfloat16 if in_bfloat16 and able else torch.float16
        can = torch.cpu.get_capabilities()
        native = can.get("avx512_bf16", False) or can.get("amx_bf16", False)
        return torch.bfloat16 if native else torch.float32
    if settings.dtype == "float16" and device.type == "cpu":
        raise ModelUnavailable(
            "float16 is far too slow on a CPU.", advice="Start with --dtype auto."
        )
    return _DTYPES[settings.dtype]
