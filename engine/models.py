"""Which model serves, on which device and in which dtype; and loading it.

With `solver.py` the only importer of diffusers. A model named by the user never falls back to
another one; `auto` says in `reason` why it took what it took.
"""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import diffusers
import torch
import transformers
from diffusers import StableDiffusionPipeline
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError

from engine import hub
from engine.attention import speed_up_attention
from engine.errors import ModelUnavailable
from engine.settings import Settings

logger = logging.getLogger(__name__)

DEFAULT_HUB_MODEL = "segmind/tiny-sd"
BUNDLED = Path(__file__).parent / "bundled"
_REMEDY = (
    "Correct --model: a hub id, a folder in diffusers layout, 'bundled' or 'auto'; "
    "or fetch the model once while online. Then start again."
)
# What the libraries raise, between them, on files that are not what they should be.
_UNREADABLE = (
    *(OSError, ValueError, RuntimeError, LookupError, TypeError, AttributeError, ImportError),
    *(EOFError, UnpicklingError, SafetensorError),
)
_DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32}


class ModelDefaults(BaseModel):
    """What a model says of itself in `storyreel.json`, beside its `model_index.json`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str | None = None
    guidance_scale: float = 7.5
    near_native_area: bool = False
    """True: draw near the size it was trained at, in the asked aspect, then resample."""
    description: str = ""


@dataclass(frozen=True)
class ModelChoice:
    """A model that was decided on, not yet loaded."""

    folder: Path
    name: str
    revision: str
    reason: str


@dataclass(frozen=True)
class LoadedModel:
    """A pipeline ready on its device, and the facts about it."""

    pipeline: Any
    choice: ModelChoice
    defaults: ModelDefaults
    device: torch.device
    dtype: torch.dtype

    @property
    def dtype_name(self) -> str:
        return str(self.dtype).removeprefix("torch.")

    @property
    def scale_factor(self) -> int:
        """Pixels a latent cell stands for, along one side."""
        return int(self.pipeline.vae_scale_factor)

    @property
    def native_side(self) -> int:
        """Side in pixels of the square pictures the model was trained on."""
        return int(self.pipeline.unet.config.sample_size) * self.scale_factor


def open_model(settings: Settings, on_bytes: hub.OnBytes) -> LoadedModel:
    """Choose and load; `auto` takes the bundled model where the cached one is damaged.

    Raises:
        ModelUnavailable: with the cause and the remedy.
    """
    choice = choose_model(settings, on_bytes)
    try:
        return load_model(choice, settings)
    except ModelUnavailable as err:
        if settings.model != "auto" or choice.folder == BUNDLED:
            raise
        logger.warning("%s in the local hub cache cannot be used: %s", choice.name, err)
        reason = f"auto: {choice.name} in the local hub cache cannot be used"
        return load_model(_from_folder(BUNDLED, "bundled", reason), settings)


def choose_model(settings: Settings, on_bytes: hub.OnBytes) -> ModelChoice:
    """Decide which folder to load; a hub id that is not cached is fetched here.

    Raises:
        ModelUnavailable: the model asked for is not there and cannot be had.
    """
    name = settings.model
    if name == "auto":
        return _choose_auto()
    if name == "bundled":
        return _from_folder(BUNDLED, "bundled", "asked for with --model bundled")
    path = Path(name).expanduser()
    if path.is_dir():
        return _from_folder(path, path.resolve().name, "a folder named with --model")
    if name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise ModelUnavailable("The folder given with --model does not exist.", advice=_REMEDY)
    try:
        folder = hub.find_cached(name)
        reason = "named with --model, found in the local hub cache"
        if folder is None:
            folder = hub.download(name, on_bytes)
            reason = "named with --model, fetched from the hub"
    except hub.HubUnreachable as err:
        raise ModelUnavailable(
            f"The model is not in the local hub cache and could not be fetched. {err}",
            advice=_REMEDY,
        ) from err
    return ModelChoice(folder, name, folder.name, reason)


def _choose_auto() -> ModelChoice:
    folder = hub.find_cached(DEFAULT_HUB_MODEL)
    if folder is not None:
        return ModelChoice(
            folder, DEFAULT_HUB_MODEL, folder.name, "auto: found in the local hub cache"
        )
    return _from_folder(
        BUNDLED, "bundled", f"auto: {DEFAULT_HUB_MODEL} is not in the local hub cache"
    )


def _from_folder(folder: Path, name: str, reason: str) -> ModelChoice:
    return ModelChoice(folder, name, "local", reason)


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


def choose_dtype(settings: Settings, device: torch.device) -> torch.dtype:
    """The dtype asked for, or the fastest the device computes natively.

    Raises:
        ModelUnavailable: float16 was asked for on a CPU, which would take hours a picture.
    """
    if settings.dtype == "auto":
        if device.type != "cpu":
            return torch.float16
        can = torch.cpu.get_capabilities()
        native = can.get("avx512_bf16", False) or can.get("amx_bf16", False)
        return torch.bfloat16 if native else torch.float32
    if settings.dtype == "float16" and device.type == "cpu":
        raise ModelUnavailable(
            "float16 is far too slow on a CPU.", advice="Start with --dtype auto."
        )
    return _DTYPES[settings.dtype]


def load_model(choice: ModelChoice, settings: Settings) -> LoadedModel:
    """Load a pipeline onto its device.

    Raises:
        ModelUnavailable: with the cause and the remedy.
    """
    device = choose_device(settings)
    dtype = choose_dtype(settings, device)
    _check_folder(choice.folder)
    logger.info(
        "loading %s from %s on %s as %s (%s)",
        choice.name, choice.folder, device, dtype, choice.reason,
    )  # fmt: skip
    diffusers.utils.logging.disable_progress_bar()
    diffusers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    try:
        defaults = _read_defaults(choice.folder)
        pipeline = StableDiffusionPipeline.from_pretrained(
            choice.folder,
            dtype=dtype,
            local_files_only=True,
            requires_safety_checker=False,
            **dict.fromkeys(hub.UNUSED_COMPONENTS),
        )
    except _UNREADABLE as err:
        raise ModelUnavailable(
            f"The model's files could not be read ({type(err).__name__}): {_first_line(err)}",
            advice=_REMEDY,
        ) from err
    # A tokenizer saved without its window claims a nearly endless one.
    window = pipeline.text_encoder.config.max_position_embeddings
    pipeline.tokenizer.model_max_length = min(pipeline.tokenizer.model_max_length, window)
    try:
        _place(pipeline, device, dtype, settings.offload)
    except torch.OutOfMemoryError as err:
        raise ModelUnavailable(
            f"The model does not fit the memory of the {device.type} device.",
            advice="Start with --offload, with a smaller model, or with --device cpu.",
        ) from err
    return LoadedModel(pipeline, choice, defaults, device, dtype)


def _check_folder(folder: Path) -> None:
    try:
        index = json.loads((folder / hub.MODEL_INDEX).read_text("utf-8"))
        missing = hub.missing_parts(folder)
    except FileNotFoundError as err:
        raise ModelUnavailable(
            "The model's folder has no model_index.json.", advice=_REMEDY
        ) from err
    except (OSError, ValueError, KeyError) as err:
        raise ModelUnavailable("The model's index cannot be read.", advice=_REMEDY) from err
    kind = index.get("_class_name")
    if kind != "StableDiffusionPipeline":
        raise ModelUnavailable(
            "The model is of another family than Stable Diffusion 1.x or 2.x.",
            advice="Choose a model whose pipeline class is StableDiffusionPipeline.",
        )
    if missing:
        raise ModelUnavailable(
            f"The model is incomplete; it lacks: {', '.join(missing)}.", advice=_REMEDY
        )


def _read_defaults(folder: Path) -> ModelDefaults:
    path = folder / "storyreel.json"
    if not path.is_file():
        return ModelDefaults()
    try:
        return ModelDefaults.model_validate_json(path.read_bytes())
    except ValidationError as err:
        raise ValueError(f"storyreel.json is not valid: {err.error_count()} errors") from err


def _place(pipeline: Any, device: torch.device, dtype: torch.dtype, offload: bool) -> None:
    pipeline.set_progress_bar_config(disable=True)
    if device.type == "cuda" or dtype == torch.bfloat16:
        pipeline.unet.to(memory_format=torch.channels_last)
        pipeline.vae.to(memory_format=torch.channels_last)
    if device.type == "cpu" and dtype == torch.bfloat16:
        speed_up_attention(pipeline.unet)
    if offload and device.type == "cpu":
        logger.warning("--offload has no effect on the CPU")
    if offload and device.type != "cpu":
        pipeline.enable_model_cpu_offload(device=device)
    else:
        pipeline.to(device)


def _first_line(err: Exception) -> str:
    return (str(err).strip().splitlines() or [""])[0][:300]
