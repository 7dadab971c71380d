"""How pipelines of any family are spoken to, as far as their own signatures tell.

A class that draws from a prompt alone can be used without knowing its family; what it takes
besides, and with which defaults, differs from one to the next.
"""

import inspect
import math
from dataclasses import dataclass
from typing import Any

from engine.prompts import PromptReading

_NEEDED = frozenset({"prompt", "width", "height", "num_inference_steps", "generator"})
_TELLERS = ("callback_on_step_end", "callback")
_GUIDANCE = ("guidance_scale", "true_cfg_scale")
# What draws from more than a prompt, or more than a picture.
_FOREIGN = frozenset({"control_image", "mask_image", "num_frames"})
_TEXT_PARTS = ("tokenizer", "text_encoder")


@dataclass(frozen=True)
class Family:
    """What the call of a pipeline class takes.

    Attributes:
        takes: names of its arguments.
        guidance: the argument that says how strictly to follow the prompt; None if there is none.
        guidance_scale: that argument's default.
        teller: the argument for what is called after every step.
        longest_prompt: in tokens, if the call limits it.
    """

    takes: frozenset[str]
    guidance: str | None
    guidance_scale: float
    teller: str
    longest_prompt: float = math.inf


def read_family(kind: type) -> Family | None:
    """Read the signatures of a pipeline class; None if it does not draw from a prompt alone."""
    arguments: dict[str, Any] = {
        parameter.name: parameter.default
        for parameter in inspect.signature(kind.__call__).parameters.values()
        if parameter.name != "self" and parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }
    parts = inspect.signature(kind).parameters
    demanded = {name for name, default in arguments.items() if default is inspect.Parameter.empty}
    teller = next((name for name in _TELLERS if name in arguments), None)
    if (
        _NEEDED - set(arguments)
        or demanded - {"prompt"}
        or _FOREIGN & set(arguments)
        or "controlnet" in parts
        or "vae" not in parts
        or not {"unet", "transformer"} & set(parts)
        or teller is None
    ):
        return None
    scales = {name: arguments.get(name) for name in _GUIDANCE}
    told = [name for name, scale in scales.items() if isinstance(scale, int | float)]
    guidance = told[0] if told else None
    return Family(
        takes=frozenset(arguments),
        guidance=guidance,
        guidance_scale=float(scales[guidance] or 1) if guidance else 1.0,
        teller=teller,
        longest_prompt=arguments.get("max_sequence_length") or math.inf,
    )


def prompt_reading(pipeline: Any, family: Family) -> PromptReading | None:
    """How a pipeline reads prompts: by the text encoder with the widest window, the rest cut.

    None if it has no tokenizer that can be asked.
    """
    readings = [
        PromptReading(tokenizer, _window(tokenizer, family), cuts=True)
        for tokenizer, _ in _text_parts(pipeline)
        if hasattr(tokenizer, "tokenize")
    ]
    return max(readings, key=lambda reading: reading.window, default=None)


def _window(tokenizer: Any, family: Family) -> int:
    longest = min(tokenizer.model_max_length, family.longest_prompt)
    return int(longest) - int(tokenizer.num_special_tokens_to_add())


def limit_tokenizers(pipeline: Any) -> None:
    """Give every tokenizer the window of its text encoder.

    One that was saved without its window claims a nearly endless one.
    """
    for tokenizer, encoder in _text_parts(pipeline):
        window = getattr(getattr(encoder, "config", None), "max_position_embeddings", None)
        if window is not None and hasattr(tokenizer, "model_max_length"):
            tokenizer.model_max_length = min(tokenizer.model_max_length, window)


def _text_parts(pipeline: Any) -> list[tuple[Any, Any]]:
    """The tokenizers of a pipeline, each with its text encoder."""
    places = ("", "_2", "_3")
    pairs = [[getattr(pipeline, part + place, None) for part in _TEXT_PARTS] for place in places]
    return [(tokenizer, encoder) for tokenizer, encoder in pairs if tokenizer is not None]


def size_step(pipeline: Any, scale_factor: int) -> int:
    """Sizes in pixels that a stock pipeline draws are multiples of this."""
    if getattr(pipeline, "unet", None) is not None:
        return scale_factor
    patch = getattr(pipeline.transformer.config, "patch_size", 2)
    sides = patch if isinstance(patch, list | tuple) else [patch]
    # Those that tell no patch, or 1, put two by two cells together before the transformer.
    return scale_factor * max(2, *sides)


def trained_side(pipeline: Any, scale_factor: int) -> int | None:
    """Side in pixels that a pipeline's denoiser says it was trained at; None if it does not."""
    denoiser = getattr(pipeline, "unet", None) or pipeline.transformer
    sample_size = getattr(denoiser.config, "sample_size", None)
    return sample_size * scale_factor if isinstance(sample_size, int) else None
