"""Model folders that are damaged or mean harm: refused in words, never a crash."""

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from engine.errors import ModelUnavailable
from tests.loaded import load, rewrite


@pytest.fixture
def copy(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model, to be damaged."""
    return Path(shutil.copytree(tiny_model, tmp_path / "copy"))


UNET = "unet/diffusion_pytorch_model.safetensors"


def damaged(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(content) and None


def lost(name: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return damage


def cut(name: str) -> Callable[[Path], None]:
    return lambda folder: os.truncate(folder / name, (folder / name).stat().st_size // 2)


def indexed(**changes: object) -> Callable[[Path], None]:
    return lambda folder: rewrite(folder / "model_index.json", **changes)


def configured(name: str, **changes: object) -> Callable[[Path], None]:
    return lambda folder: rewrite(folder / name, **changes)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "no index": lost("model_index.json"),
    "index is no JSON": damaged("model_index.json", b"{"),
    "index is a list": damaged("model_index.json", b"[]"),
    "index is not text": damaged("model_index.json", b"\xff\xfe\x00"),
    "index of another family": indexed(_class_name="StableDiffusionXLPipeline"),
    "index of a family that does not draw": indexed(_class_name="AudioLDM2Pipeline"),
    "index without a class": indexed(_class_name=None),
    "index names an unknown class": indexed(unet=["diffusers", "NoSuchModel"]),
    "index names an unknown library": indexed(unet=["no_such_library", "Model"]),
    "index names a function": indexed(unet=["os", "system"]),
    "index has a short entry": indexed(unet=["diffusers"]),
    "index has an empty entry": indexed(unet=[]),
    "no U-Net": lost("unet"),
    "no weights": lost(UNET),
    "no tokenizer": lost("tokenizer"),
    "no scheduler": lost("scheduler"),
    "no text encoder config": lost("text_encoder/config.json"),
    "weights are cut": cut(UNET),
    "weights are empty": damaged(UNET, b""),
    "weights are noise": damaged(UNET, b"\x10" * 1000),
    "text encoder weights are noise": damaged("text_encoder/model.safetensors", b"\x10" * 1000),
    "text encoder weights are cut": cut("text_encoder/model.safetensors"),
    "config is no JSON": damaged("unet/config.json", b"{"),
    "config is a list": damaged("unet/config.json", b"[]"),
    "text config is no JSON": damaged("text_encoder/config.json", b"{"),
    "config of other weights": configured("unet/config.json", block_out_channels=[64, 64]),
    "scheduler config is no JSON": damaged("scheduler/scheduler_config.json", b"{"),
    "vocabulary is no JSON": damaged("tokenizer/tokenizer.json", b"{"),
    "defaults are no JSON": damaged("storyreel.json", b"{"),
    "defaults are wrong": damaged("storyreel.json", b'{"guidance_scale": "high"}'),
}


@pytest.mark.filterwarnings("ignore::FutureWarning")  # diffusers', of a config that is a list
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_model_is_unavailable_and_never_a_crash(
    copy: Path, damage: Callable[[Path], None]
) -> None:
    damage(copy)
    with pytest.raises(ModelUnavailable) as caught:
        load(copy)
    assert caught.value.message and caught.value.advice and "\n" not in caught.value.message


def to_bin(folder: Path) -> None:
    """Turn the weights into the older `.bin` files."""
    for path in folder.glob("*/*.safetensors"):
        stem = "pytorch_model" if path.parent.name == "text_encoder" else path.stem
        torch.save(load_file(path), path.with_name(f"{stem}.bin"))
        path.unlink()


@pytest.mark.parametrize("content", [b"", b"\x80", b"PK\x03\x04", b"\x10" * 1000])
@pytest.mark.parametrize(
    "name", ["unet/diffusion_pytorch_model.bin", "text_encoder/pytorch_model.bin"]
)
def test_damaged_bin_weights_are_unavailable(copy: Path, name: str, content: bytes) -> None:
    to_bin(copy)
    (copy / name).write_bytes(content)
    with pytest.raises(ModelUnavailable):
        load(copy)


def test_bin_weights_load(copy: Path, tiny_model: Path) -> None:
    to_bin(copy)
    for part in ("unet", "vae", "text_encoder"):
        ours = getattr(load(copy).pipeline, part).state_dict()
        expected = getattr(load(tiny_model).pipeline, part).state_dict()
        assert all(torch.equal(ours[name], expected[name]) for name in expected)


class Evil:
    """Pickles into a call of `os.mkdir`."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


@pytest.mark.parametrize(
    "name", ["unet/diffusion_pytorch_model.bin", "text_encoder/pytorch_model.bin"]
)
@pytest.mark.parametrize("old_form", [False, True])
def test_weights_that_would_run_code_are_refused(
    copy: Path, tmp_path: Path, name: str, old_form: bool
) -> None:
    to_bin(copy)
    ran = tmp_path / "ran"
    if old_form:
        (copy / name).write_bytes(pickle.dumps({"conv_in.weight": Evil(str(ran))}, 2))
    else:
        torch.save({"conv_in.weight": Evil(str(ran))}, copy / name)
    with pytest.raises(ModelUnavailable):
        load(copy)
    assert not ran.exists()


def test_code_beside_the_weights_is_not_run(copy: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    code = f"import os\nos.mkdir({str(ran)!r})\nclass Model: pass\n"
    for name in ("unet/own_unet.py", "own_unet.py", "pipeline.py"):
        (copy / name).write_text(code)
    indexed(unet=["own_unet", "Model"])(copy)
    with pytest.raises(ModelUnavailable):
        load(copy)
    assert not ran.exists()
