"""The tab that tells: the story's timeline, the engine's state, and how to ask from code."""

from functools import partial
from typing import Any

import gradio as gr
from pydantic import ValidationError

from engine import Engine, ImageRequest, Request, VideoRequest
from engine.errors import InvalidRequest
from ui import samples, snippets
from ui.engine_facts import engine_rows, table_html
from ui.events import QUIET
from ui.image_form import ImageForm, image_request
from ui.progress import words_for_s
from ui.timeline import draw_timeline

_KINDS = (("A picture", "image"), ("A story video", "video"))
# The server cannot know which of its two faces the page shows; its last input is filled here.
_WITH_DARK = "(...a) => [...a.slice(0, -1), document.body.classList.contains('dark')]"


def build_info_tab(engine: Engine, tab: gr.Tab, plan: gr.State, image: ImageForm) -> gr.HTML:
    """Lay the tab out and wire it; call inside the tab.

    Returns:
        The table of the engine's facts, for the page's clock to keep fresh.
    """
    dark = gr.Checkbox(visible=False)
    with gr.Column(elem_classes="card"):
        gr.HTML('<p class="eyebrow">The story on the Video story tab</p>')
        plot = gr.Plot(
            show_label=False, container=False, elem_classes="timeline", elem_id="timeline"
        )
        numbers = gr.HTML(elem_id="plan-numbers")
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320, elem_classes="card"):
            gr.HTML('<p class="eyebrow">The engine</p>')
            facts = gr.HTML(elem_id="engine-facts")
        with gr.Column(scale=6, min_width=320, elem_classes="card"):
            gr.HTML('<p class="eyebrow">The same from code, with the settings of this page</p>')
            kind = gr.Radio(
                list(_KINDS), value="image", show_label=False, label="For", elem_id="code-kind"
            )
            codes = _build_codes()
    gr.on(
        [tab.select],
        partial(_plan_preview, engine),
        inputs=[plan, dark],
        outputs=[plot, numbers],
        js=_WITH_DARK,
        concurrency_limit=None,
        **QUIET,
    )
    gr.on(
        [tab.select, kind.change],
        _codes,
        inputs=[kind, plan, *image.inputs()],
        outputs=codes,
        concurrency_limit=None,
        **QUIET,
    )
    return facts


def engine_facts_html(engine: Engine) -> str:
    """The table of what is loaded, how fast it is and what waits."""
    return table_html(engine_rows(engine, engine.status()))


def _build_codes() -> list[gr.Code]:
    shown = (("curl", "shell"), ("requests", "python"), ("gradio_client", "python"))
    codes = []
    with gr.Tabs():
        for name, language in shown:
            with gr.Tab(name):
                codes.append(
                    gr.Code(
                        language=language,  # type: ignore[arg-type]
                        label=name,
                        show_label=False,
                        interactive=False,
                        wrap_lines=True,
                        show_line_numbers=False,
                        buttons=["copy"],
                        elem_id=f"code-{name}",
                    )
                )
    return codes


def _plan_preview(engine: Engine, plan: str, dark: bool) -> tuple[Any, str]:
    if not plan:
        text = "The story there cannot be made as it stands; its summary says why."
        return None, f'<div class="note quiet">{text}</div>'
    request = VideoRequest.model_validate_json(plan)
    return draw_timeline(request, dark=bool(dark)), plan_html(engine, request)


def _frames(counts: list[int]) -> str:
    least, most = min(counts), max(counts)
    return f"{least} frames" if least == most else f"{least} to {most} frames"


def plan_html(engine: Engine, request: VideoRequest) -> str:
    """The numbers of a story's plan, and its scenes' prompts."""
    plan = engine.plan(request)
    rows = [
        ("Scenes", f"{plan.scenes_count} of {_frames(plan.scene_frames)}"),
        ("Transitions", f"{plan.scenes_count - 1} of {plan.transition_frames} frames"),
        ("Video", f"{plan.total_frames} frames, {plan.total_duration_seconds:.4g} s"),
        ("Format", f"{plan.resolution}, {plan.fps} frames per second"),
        ("Time to make", f"about {words_for_s(plan.estimated_generation_time_seconds)}"),
    ]
    if plan.scene_tokens and plan.token_window:
        longest = max(plan.scene_tokens)
        beyond = "what is beyond is not read" if plan.cuts_prompts else "read in several pieces"
        read = "read in one piece" if longest <= plan.token_window else beyond
        rows.append(("Longest prompt", f"{longest} tokens of {plan.token_window}, {read}"))
    return table_html(rows)


def _codes(kind: str, plan: str, request: gr.Request, *image_values: Any) -> tuple[str, str, str]:
    base_url = f"{request.url.scheme}://{request.headers['host']}"
    wanted = _wanted_story(plan) if kind == "video" else _wanted_image(image_values)
    return (
        snippets.curl(wanted, base_url),
        snippets.requests_code(wanted, base_url),
        snippets.client_code(wanted, base_url),
    )


def _wanted_story(plan: str) -> Request:
    """The story on the page; a sample where it cannot be made as it stands."""
    if plan:
        story = VideoRequest.model_validate_json(plan)
        if story.scenes[0] != "…":
            return story
    sample = samples.STORIES[0]
    return VideoRequest(hero_description=sample.hero, scenes=list(sample.scenes))


def _wanted_image(values: tuple[Any, ...]) -> Request:
    """The picture on the page; a sample where it cannot be made as it stands."""
    try:
        return image_request(*values)
    except (InvalidRequest, ValidationError):
        return ImageRequest(prompt=samples.IMAGES[0].prompt)
