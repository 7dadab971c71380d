"""Loading the model that serves, of whatever family, onto its device.

With `solver.py` and `exchange.py` the only importer of diffusers.
"""

import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers import StableDiffusionPipeline
from pydantic import BaseModel, ConfigDict, ValidationError

from engine import families, hub
from engine.attention import speed_up_attention
from engine.choice import MODEL_REMEDY, ModelChoice, bundled, choose_decoder, choose_model
from engine.cpu import pack_for_cpu
from engine.devices import choose_device, choose_dtype
from engine.errors import ModelUnavailable
from engine.exchange import exchange_autoencoder
from engine.families import Family
from engine.memory import is_out_of_memory, machine_bytes, needs_slicing
from engine.prompts import PromptReading, text_window
from engine.settings import Settings
from engine.solver import solver_name
from engine.weights import telling_unreadable

logger = logging.getLogger(__name__)

_USUAL_SIDE = 1024
"""What families later than Stable Diffusion 2 are trained at, where a model does not say."""


class ModelDefaults(BaseModel):
    """What a model says of itself in `storyreel.json`, beside its `model_index.json`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str | None = None
    guidance_scale: float = 7.5
    """Left out: what its pipeline's call has, 7.5 for Stable Diffusion."""
    near_native_area: bool = False
    """True: draw near the size it was trained at, in the asked aspect, then resample.
    Left out: true for pipelines of other families that say which size that is."""
    description: str = ""

    def guidance_for(self, asked: float | None) -> float:
        """The scale that a picture is drawn with: the one asked for, else the model's own."""
        return self.guidance_scale if asked is None else asked


@dataclass(frozen=True)
class LoadedModel:
    """A pipeline ready on its device, and the facts about it.

    `family` tells how to call a stock pipeline; None for Stable Diffusion 1.x and 2.x, whose
    parts our own loop uses.
    """

    pipeline: Any
    choice: ModelChoice
    defaults: ModelDefaults
    device: torch.device
    dtype: torch.dtype
    family: Family | None = None
    decoder: ModelChoice | None = None
    """What stands in for the model's own autoencoder; None: nothing does."""

    @property
    def dtype_name(self) -> str:
        return str(self.dtype).removeprefix("torch.")

    @property
    def scale_factor(self) -> int:
        """Pixels a latent cell stands for, along one side."""
        return int(self.pipeline.vae_scale_factor)

    @property
    def size_step(self) -> int:
        """Sizes in pixels that the model draws are multiples of this."""
        return families.size_step(self.pipeline, self.scale_factor)

    @property
    def native_side(self) -> int:
        """Side in pixels of the square pictures the model was trained on, as far as it says."""
        return families.trained_side(self.pipeline, self.scale_factor) or _USUAL_SIDE

    @property
    def reading(self) -> PromptReading | None:
        """How it reads prompts; None if its tokenizer cannot be asked."""
        if self.family is not None:
            return families.prompt_reading(self.pipeline, self.family)
        tokenizer = self.pipeline.tokenizer
        return PromptReading(tokenizer, text_window(tokenizer))

    @property
    def scheduler_name(self) -> str:
        """What takes its steps, for recipes."""
        scheduler = self.pipeline.scheduler
        if self.family is not None:
            return type(scheduler).__name__
        return solver_name(scheduler.config)


def open_model(settings: Settings, fetching: Callable[[str], hub.OnBytes]) -> LoadedModel:
    """Choose and load; `auto` takes the bundled model where the cached one is damaged.

    Args:
        fetching: makes what is told of the bytes of one hub id.

    Raises:
        ModelUnavailable: with the cause and the remedy.
    """
    choice = choose_model(settings, fetching(settings.model))
    decoder = choose_decoder(settings, fetching(settings.decoder or ""))
    try:
        return load_model(choice, settings, decoder)
    except ModelUnavailable as err:
        # A decoder is made for one family of models: it would not fit another.
        if settings.model != "auto" or choice.is_bundled or decoder is not None:
            raise
        logger.warning("%s in the local hub cache cannot be used: %s", choice.name, err)
        reason = f"auto: {choice.name} in the local hub cache cannot be used"
        return load_model(bundled(reason), settings)


def load_model(
    choice: ModelChoice, settings: Settings, decoder: ModelChoice | None = None
) -> LoadedModel:
    """Load a pipeline onto its device.

    Args:
        decoder: takes the place of the model's own autoencoder.

    Raises:
        ModelUnavailable: with the cause and the remedy.
    """
    device = choose_device(settings)
    _quieten_libraries()
    index = _read_index(choice.folder)
    kind, family = _pipeline_class(index.get("_class_name"))
    _check_whole(choice.folder, index, kind)
    _check_tokenizers(choice.folder)
    in_bfloat16 = "transformer" in inspect.signature(kind).parameters
    dtype = choose_dtype(settings, device, in_bfloat16=in_bfloat16)
    logger.info(
        "loading %s from %s on %s as %s (%s)",
        choice.name, choice.folder, device, dtype, choice.reason,
    )  # fmt: skip
    with telling_unreadable("model", MODEL_REMEDY):
        pipeline = _load_pipeline(kind, choice.folder, index, dtype)
        families.limit_tokenizers(pipeline)
        defaults = _read_defaults(choice.folder, pipeline, family)
    if decoder is not None:
        exchange_autoencoder(pipeline, decoder, dtype)
    try:
        _place(pipeline, device, dtype, settings.offload)
        if device.type == "cpu" and family is None:
            pack_for_cpu(pipeline, dtype)
    except (RuntimeError, MemoryError) as err:
        if not is_out_of_memory(err):
            raise
        raise ModelUnavailable(
            f"The model does not fit the memory of the {device.type} device.",
            advice="Start with --offload, with a smaller model, or with --device cpu.",
        ) from err
    return LoadedModel(pipeline, choice, defaults, device, dtype, family, decoder)


def _quieten_libraries() -> None:
    diffusers.utils.logging.disable_progress_bar()
    diffusers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()


def _read_index(folder: Path) -> dict[str, Any]:
    try:
        return hub.read_object(folder / hub.MODEL_INDEX)
    except FileNotFoundError as err:
        raise ModelUnavailable(
            "The model's folder has no model_index.json.", advice=MODEL_REMEDY
        ) from err
    except (OSError, ValueError) as err:
        raise ModelUnavailable("The model's index cannot be read.", advice=MODEL_REMEDY) from err


def _pipeline_class(name: object) -> tuple[Any, Family | None]:
    """Find the class that a model names, and how to call it; None for our own loop.

    Raises:
        ModelUnavailable: it is not one that draws pictures from a prompt alone.
    """
    if name == "StableDiffusionPipeline":
        return StableDiffusionPipeline, None
    from diffusers.pipelines import auto_pipeline  # all families: takes seconds

    for kind in auto_pipeline.AUTO_TEXT2IMAGE_PIPELINES_MAPPING.values():
        if kind.__name__ == name and (family := families.read_family(kind)) is not None:
            return kind, family
    raise ModelUnavailable(
        "The model is of a family that is not supported.",
        advice="Choose a model whose pipeline, as diffusers knows it, draws pictures from a "
        "prompt alone: Stable Diffusion, SDXL, Flux and others.",
    )


def _check_whole(folder: Path, index: dict[str, Any], kind: Any) -> None:
    parts = inspect.signature(kind).parameters.values()
    demanded = {part.name for part in parts if part.default is inspect.Parameter.empty}
    if unnamed := demanded - set(index) - hub.UNUSED_COMPONENTS:
        names = ", ".join(sorted(unnamed))
        raise ModelUnavailable(f"The model's index does not name: {names}.", advice=MODEL_REMEDY)
    try:
        missing = hub.missing_parts(folder)
    except (OSError, ValueError, KeyError) as err:
        raise ModelUnavailable("The model's index cannot be read.", advice=MODEL_REMEDY) from err
    if missing:
        raise ModelUnavailable(
            f"The model is incomplete; it lacks: {', '.join(missing)}.", advice=MODEL_REMEDY
        )


def _check_tokenizers(folder: Path) -> None:
    needed = any(hub.has_only_pieces(part) for part in folder.glob("tokenizer*"))
    if needed and find_spec("sentencepiece") is None:
        raise ModelUnavailable(
            "The model's tokenizer can only be read with the sentencepiece library.",
            advice="pip install sentencepiece protobuf, then start again.",
        )


def _load_pipeline(kind: Any, folder: Path, index: dict[str, Any], dtype: torch.dtype) -> Any:
    parts = set(inspect.signature(kind).parameters)
    left_out = {name for name, value in index.items() if value == [None, None]}
    options: dict[str, Any] = dict.fromkeys((hub.UNUSED_COMPONENTS | left_out) & parts)
    if "requires_safety_checker" in parts:
        options["requires_safety_checker"] = False
    return kind.from_pretrained(folder, dtype=dtype, local_files_only=True, **options)


def _read_defaults(folder: Path, pipeline: Any, family: Family | None) -> ModelDefaults:
    """What a model says of itself; what it leaves out is told by its pipeline."""
    told: dict[str, Any] = {}
    if family is not None:
        told["guidance_scale"] = family.guidance_scale
        told["near_native_area"] = families.trained_side(pipeline, 1) is not None
    path = folder / "storyreel.json"
    try:
        return ModelDefaults(**{**told, **(hub.read_object(path) if path.is_file() else {})})
    except ValidationError as err:
        raise ValueError(f"storyreel.json is not valid: {err.error_count()} errors") from err


def _place(pipeline: Any, device: torch.device, dtype: torch.dtype, offload: bool) -> None:
    pipeline.set_progress_bar_config(disable=True)
    is_unet = getattr(pipeline, "unet", None) is not None
    if is_unet and (device.type == "cuda" or dtype == torch.bfloat16):
        pipeline.unet.to(memory_format=torch.channels_last)
        pipeline.vae.to(memory_format=torch.channels_last)
    if is_unet and device.type == "cpu" and dtype == torch.bfloat16:
        speed_up_attention(pipeline.unet)
    if needs_slicing(device, machine_bytes()):
        pipeline.enable_attention_slicing()
    if offload and device.type == "cpu":
        logger.warning("--offload has no effect on the CPU")
    if offload and device.type != "cpu":
        pipeline.enable_model_cpu_offload(device=device)
    else:
        pipeline.to(device)
