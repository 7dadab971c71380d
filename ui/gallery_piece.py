"""One thing that was made, seen whole: how it was made, and what can be done with it."""

import time
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from engine import EngineError, ImageResult, Job, VideoRequest, VideoResult
from engine.snapshots import Result
from ui.events import QUIET
from ui.messages import explain_error
from ui.progress import error_html
from ui.story_stage import story_facts_html

_HINT = '<div class="note quiet nothing">Choose a picture or a story to see it whole.</div>'
_AGES = ((86_400, "day"), (3600, "hour"), (60, "minute"))


@dataclass(frozen=True)
class PieceStage:
    """The picture or the video, its recipe, and its buttons."""

    hint: gr.HTML
    column: gr.Column
    close: gr.Button
    image: gr.Image
    video: gr.Video
    facts: gr.HTML
    choices: gr.Row
    reuse: gr.Button
    download: gr.DownloadButton
    doubt: gr.Row
    really: gr.Button
    recipe: gr.Textbox
    job_id: gr.State

    def outputs(self) -> list[Any]:
        """In the order in which `shown` and `closed` give their values."""
        return [
            *(self.hint, self.column, self.image, self.video, self.facts),
            *(self.choices, self.download, self.doubt, self.recipe, self.job_id),
        ]


def build_piece_stage() -> PieceStage:
    """Lay it out; call inside a column."""
    hint = gr.HTML(_HINT, elem_id="gallery-hint")
    with gr.Column(
        visible=False, elem_classes=["card", "stage", "piece"], elem_id="gallery-piece"
    ) as column:
        close = gr.Button("Back to the gallery", size="sm", elem_id="gallery-close")
        media: dict[str, Any] = {"show_label": False, "interactive": False, "visible": False}
        image = gr.Image(type="filepath", buttons=["fullscreen"], elem_id="gallery-image", **media)
        video = gr.Video(buttons=[], elem_id="gallery-video", **media)
        facts = gr.HTML(elem_id="gallery-facts")
        with gr.Row() as choices:
            reuse = _button("Reuse settings", "gallery-reuse", variant="primary", min_width=130)
            download = gr.DownloadButton(
                "Download", size="md", elem_id="gallery-download", min_width=90
            )
            delete = _button("Delete", "gallery-delete")
        with gr.Row(visible=False) as doubt:
            really = _button("Really delete?", "gallery-really", variant="stop")
            keep = _button("Keep it", "gallery-keep")
        recipe = gr.Textbox(
            label="Recipe",
            interactive=False,
            lines=2,
            max_lines=14,
            buttons=["copy"],
            elem_id="gallery-recipe",
        )
    for button, doubting in ((delete, True), (keep, False)):
        button.click(
            lambda doubting=doubting: (gr.Row(visible=not doubting), gr.Row(visible=doubting)),
            outputs=[choices, doubt],
            queue=False,
            **QUIET,
        )
    buttons = (choices, reuse, download, doubt, really)
    return PieceStage(hint, column, close, image, video, facts, *buttons, recipe, gr.State(None))


def _button(text: str, elem_id: str, *, min_width: int = 90, **look: Any) -> gr.Button:
    return gr.Button(text, size="md", elem_id=elem_id, min_width=min_width, **look)


def shown(job: Job, result: Result) -> tuple[Any, ...]:
    """Values for the stage's outputs: files by their paths, so that they stay as written."""
    path, is_image = str(result.path), isinstance(result, ImageResult)
    return (
        gr.HTML(visible=False),
        gr.Column(visible=True),
        gr.Image(path if is_image else None, visible=is_image),
        gr.Video(None if is_image else path, visible=not is_image),
        facts_html(job, result),
        gr.Row(visible=True),
        gr.DownloadButton(value=path),
        gr.Row(visible=False),
        gr.Textbox(recipe_text(job, result), label="Recipe" if is_image else "Story"),
        job.id,
    )


def closed(err: EngineError | None = None) -> tuple[Any, ...]:
    """Values for the stage's outputs when nothing is open, or cannot be opened."""
    return (
        gr.HTML(_HINT if err is None else error_html(*explain_error(err)), visible=True),
        gr.Column(visible=False),
        gr.Image(None),
        gr.Video(None),
        "",
        gr.Row(visible=True),
        gr.DownloadButton(value=None),
        gr.Row(visible=False),
        gr.Textbox(""),
        None,
    )


def facts_html(job: Job, result: Result) -> str:
    """What it is, and when it was made."""
    finished_at = job.snapshot().finished_at or 0.0
    made = f'<p class="eyebrow">Made {age_words(time.time() - finished_at)}</p>'
    if isinstance(result, VideoResult):
        return made + story_facts_html(result)
    size = f"{job.request.width} × {job.request.height}"
    words = f"{size} · seed {result.seed} · guidance {result.guidance_scale:g}"
    return f'{made}<div class="note quiet">{escape(words)}</div>'


def recipe_text(job: Job, result: Result) -> str:
    """What it was made from: a picture's recipe, a story's hero and scenes."""
    if isinstance(result, ImageResult):
        return result.parameters
    request = job.request
    assert isinstance(request, VideoRequest)
    scenes = [f"{number}. {text}" for number, text in enumerate(request.scenes, start=1)]
    hero = request.hero_description
    return "\n".join([hero, *scenes] if hero else scenes)


def age_words(seconds: float) -> str:
    """How long ago, as people say it."""
    for unit_s, name in _AGES:
        if seconds >= unit_s:
            count = int(seconds // unit_s)
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    return "just now"
