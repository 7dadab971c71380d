"""The tab that turns one prompt into one picture."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from engine import Engine, ImageRequest, ImageResult
from engine.requests import IMAGE_FORMATS
from ui import controls, samples
from ui.progress import make
from ui.running import RunControls, build_run, offer_cancel


@dataclass(frozen=True)
class ImageForm:
    """What the visitor fills in."""

    prompt: gr.Textbox
    drawing: controls.DrawingControls
    format: gr.Radio

    def inputs(self) -> list[gr.components.Component]:
        """In the order in which `image_request` takes their values."""
        return [self.prompt, self.format, *self.drawing.inputs()]


@dataclass(frozen=True)
class ImageStage:
    """Where the finished picture stands."""

    image: gr.Image
    actions: gr.Row
    download: gr.DownloadButton
    use_seed: gr.Button
    recipe: gr.Textbox
    seed: gr.State

    def outputs(self) -> list[gr.components.Component]:
        return [self.image, self.actions, self.download, self.recipe, self.seed]


def build_image_tab(engine: Engine) -> ImageForm:
    """Lay the tab out and wire it; call inside a tab."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320, elem_classes="card"):
            form = _build_form()
            run = build_run("image", "Generate picture")
        with gr.Column(scale=6, min_width=320, elem_classes=["card", "stage"]):
            stage = _build_stage()
    draw = gr.on(
        [run.generate.click, form.prompt.submit],
        partial(_draw, engine),
        inputs=form.inputs(),
        outputs=[*run.outputs(), *stage.outputs()],
        concurrency_limit=None,
        show_progress="hidden",
        api_visibility="private",
    )
    offer_cancel(engine, run, draw)
    stage.use_seed.click(
        str,
        inputs=stage.seed,
        outputs=form.drawing.seed,
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )
    return form


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


def _build_form() -> ImageForm:
    prompt = gr.Textbox(
        label="What should the picture show?",
        placeholder="A red fox in a snowy field at sunrise…",
        lines=4,
        max_lines=10,
        autofocus=True,
        elem_id="image-prompt",
    )
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
    return ImageForm(prompt, drawing, image_format)


def _build_stage() -> ImageStage:
    image = gr.Image(
        label="Picture",
        show_label=False,
        type="filepath",
        interactive=False,
        buttons=["fullscreen"],
        elem_id="image-result",
    )
    with gr.Row(visible=False) as actions:
        download = gr.DownloadButton(
            "Download", variant="primary", elem_id="image-download", min_width=120
        )
        use_seed = gr.Button("Keep seed", elem_id="keep-seed", min_width=120)
    recipe = gr.Textbox(
        label="Recipe",
        info="Also inside the file",
        interactive=False,
        lines=2,
        max_lines=10,
        buttons=["copy"],
        visible=False,
        elem_id="image-recipe",
    )
    return ImageStage(image, actions, download, use_seed, recipe, gr.State(None))


async def _draw(engine: Engine, *values: Any) -> AsyncIterator[tuple[Any, ...]]:
    kept = (gr.skip(),) * 5
    build = partial(image_request, *values)
    async for moment in make(engine, build, "That cannot be drawn yet."):
        shown = _result(moment.result) if isinstance(moment.result, ImageResult) else kept
        yield *RunControls.show(moment), *shown


def _result(result: ImageResult) -> tuple[Any, ...]:
    path = str(result.path)
    return (
        path,
        gr.Row(visible=True),
        gr.DownloadButton(value=path),
        gr.Textbox(value=result.parameters, visible=True),
        result.seed,
    )
