"""The controls that both tabs share, and how their values become fields of a request."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import gradio as gr

from engine.errors import InvalidRequest
from engine.requests import SEED_MAX, STEPS_MAX, STEPS_MIN, ImageRequest, VideoRequest
from ui.events import QUIET

SIZES = ("512 × 512", "768 × 512", "512 × 768", "768 × 768", "1024 × 1024", "256 × 256")
_SIZE = re.compile(r"\s*(\d{1,5})\s*[x×*, ]\s*(\d{1,5})\s*", re.IGNORECASE)
_DEFAULTS = ImageRequest.model_fields
N = TypeVar("N", int, float)


@dataclass(frozen=True)
class DrawingControls:
    """How a picture is drawn: the same for one image and for every scene of a story."""

    steps: gr.Slider
    size: gr.Dropdown
    seed: gr.Textbox
    guidance: gr.Textbox
    negative_prompt: gr.Textbox

    def inputs(self) -> list[gr.components.Component]:
        """In the order in which `drawing_fields` takes their values."""
        return [self.steps, self.size, self.seed, self.guidance, self.negative_prompt]


def drawing_fields(
    steps: int, size: str, seed: str, guidance: str, negative_prompt: str
) -> dict[str, Any]:
    """Turn the values of the drawing controls into fields of a request.

    Raises:
        InvalidRequest: the size, the seed or the guidance cannot be read.
    """
    width, height = parse_size(size)
    return {
        "num_inference_steps": steps,
        "width": width,
        "height": height,
        "seed": parse_number(seed, int, "seed", "a whole number"),
        "guidance_scale": parse_number(guidance, float, "guidance", "a number"),
        "negative_prompt": negative_prompt or "",
    }


def drawing_values(request: ImageRequest | VideoRequest) -> tuple[Any, ...]:
    """What the drawing controls say of a request: values for `DrawingControls.inputs`."""
    seed, guidance = request.seed, request.guidance_scale
    return (
        request.num_inference_steps,
        f"{request.width} × {request.height}",
        "" if seed is None else str(seed),
        "" if guidance is None else str(guidance),
        request.negative_prompt,
    )


def parse_size(text: str | None) -> tuple[int, int]:
    """Read "512 × 768" or "512x768".

    Raises:
        InvalidRequest: it is something else.
    """
    match = _SIZE.fullmatch(text or "")
    if match is None:
        raise InvalidRequest(
            "The size was not understood.",
            advice="Write width x height in pixels, such as 640 x 384.",
        )
    return int(match[1]), int(match[2])


def parse_number(text: str | None, kind: Callable[[str], N], name: str, what: str) -> N | None:
    """Read a field that may stay empty.

    Args:
        name: what the field is, for the error.
        what: what should be written there.

    Raises:
        InvalidRequest: it is something else.
    """
    if text is None or not text.strip():
        return None
    try:
        return kind(text.strip().replace(",", "."))
    except ValueError as err:
        raise InvalidRequest(
            f"The {name} was not understood.", advice=f"Write {what}, or leave it empty."
        ) from err


def steps_slider(tab: str) -> gr.Slider:
    return gr.Slider(
        STEPS_MIN,
        STEPS_MAX,
        value=_DEFAULTS["num_inference_steps"].default,
        step=1,
        precision=0,
        label="Steps",
        info="More is finer and slower",
        min_width=200,
        buttons=[],
        interactive=True,
        elem_id=f"{tab}-steps",
    )


def size_dropdown(tab: str) -> gr.Dropdown:
    return gr.Dropdown(
        list(SIZES),
        value=SIZES[0],
        allow_custom_value=True,
        label="Size",
        info="Width × height; or type your own",
        min_width=180,
        interactive=True,
        elem_id=f"{tab}-size",
    )


def seed_field(tab: str) -> gr.Textbox:
    """A seed with a dice beside it; call inside a row.

    A text field, as Gradio's number fields turn "empty" into 0 when they come into sight.
    """
    seed = gr.Textbox(
        label="Seed",
        info="Same seed, same picture. Empty: a new one each time",
        placeholder="random",
        max_length=10,
        min_width=150,
        scale=3,
        interactive=True,
        elem_id=f"{tab}-seed",
    )
    dice = gr.Button("🎲 Roll", size="md", scale=0, min_width=92, elem_classes="dice")
    dice.click(
        lambda: str(secrets.randbelow(SEED_MAX + 1)),
        outputs=seed,
        queue=False,
        **QUIET,
    )
    return seed


def guidance_field(tab: str) -> gr.Textbox:
    return gr.Textbox(
        label="Guidance",
        info="How closely to follow the words, 1 to 30. Empty: the model's own best",
        placeholder="the model's own best",
        max_length=10,
        min_width=150,
        interactive=True,
        elem_id=f"{tab}-guidance",
    )


def negative_prompt_field(tab: str) -> gr.Textbox:
    return gr.Textbox(
        label="Leave out",
        info="What should not be in the picture",
        placeholder="for example: blurry, text",
        lines=1,
        max_lines=3,
        interactive=True,
        elem_id=f"{tab}-negative-prompt",
    )
