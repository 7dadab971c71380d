"""What a visitor fills in for one picture, and the request it becomes."""

import json
from dataclasses import dataclass
from typing import Any

import gradio as gr
from pydantic import ConfigDict, TypeAdapter, ValidationError

from engine import Engine, ImageRequest
from engine.requests import IMAGE_FORMATS
from ui import controls, samples
from ui.counter import add_counter
from ui.picture_drop import add_picture_drop

_KEPT = TypeAdapter(list[str | int | float | None], config=ConfigDict(strict=True))


@dataclass(frozen=True)
class ImageForm:
    """What the visitor fills in."""

    prompt: gr.Textbox
    drawing: controls.DrawingControls
    format: gr.Radio

    def inputs(self) -> list[gr.components.Component]:
        """In the order in which `image_request` takes their values."""
        return [self.prompt, self.format, *self.drawing.inputs()]


def image_request(prompt: str, image_format: str, *drawing: Any) -> ImageRequest:
    """Build the request from the form's values.

    Raises:
        InvalidRequest: the size, seed or guidance cannot be read.
        ValidationError: a value is not allowed.
    """
    fields = controls.drawing_fields(*drawing)
    return ImageRequest(prompt=prompt or "", format=image_format, **fields)


def image_values(request: ImageRequest) -> tuple[Any, ...]:
    """What the form says of a request: values for `ImageForm.inputs`."""
    return request.prompt, request.format, *controls.drawing_values(request)


def read_form(text: object, fields: int) -> tuple[Any, ...] | None:
    """Read what a browser kept of the form; None where there is nothing to be read.

    Args:
        fields: how many the form has.
    """
    try:
        values = _KEPT.validate_json(text)  # type: ignore[arg-type]
    except (ValidationError, TypeError):  # it comes from the browser: anything may be in it
        return None
    return tuple(values) if len(values) == fields else None


def build_image_form(engine: Engine) -> ImageForm:
    """Lay the form out; call inside a column."""
    prompt = gr.Textbox(
        label="What should the picture show?",
        placeholder="A red fox in a snowy field at sunrise…",
        lines=4,
        max_lines=10,
        autofocus=True,
        elem_id="image-prompt",
    )
    add_counter(engine, prompt)
    with gr.Row(elem_classes="chips"):
        for sample in samples.IMAGES:
            chip = gr.Button(sample.name, size="sm")
            # In the browser alone, so that the words are there before Generate can be pressed.
            chip.click(None, outputs=prompt, js=f"() => {json.dumps(sample.prompt)}")
    with gr.Row():
        size = controls.size_dropdown("image")
        steps = controls.steps_slider("image")
    with gr.Accordion("More settings", open=False):
        with gr.Row():
            seed = controls.seed_field("image")
        guidance = controls.guidance_field("image")
        negative_prompt = controls.negative_prompt_field("image")
        image_format = gr.Radio(
            [(name.upper(), name) for name in IMAGE_FORMATS],
            value=ImageRequest.model_fields["format"].default,
            label="File format",
        )
    drawing = controls.DrawingControls(steps, size, seed, guidance, negative_prompt)
    form = ImageForm(prompt, drawing, image_format)
    add_picture_drop(engine, form.inputs(), image_values)
    return form
