"""The tab that shows everything that was made here, newest first, and gives it back."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from engine import Engine, EngineError, VideoRequest, VideoResult
from engine.errors import JobNotFound, ResultGone
from engine.records import Record
from ui.events import QUIET
from ui.gallery_piece import PieceStage, build_piece_stage, closed, shown
from ui.image_form import ImageForm, image_values
from ui.visitors import current_visitor, visitors_job

PAGE = 24
_CAPTION_LENGTH = 60
_KINDS = (("All", "all"), ("Pictures", "image"), ("Stories", "video"))
_NAMES = {"all": "pictures and stories", "image": "pictures", "video": "stories"}


@dataclass(frozen=True)
class Hung:
    """What hangs on the wall: at most `limit` jobs, by their ids."""

    limit: int = PAGE
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wall:
    """The thumbnails, and which of them are shown."""

    kind: gr.Radio
    grid: gr.Gallery
    more: gr.Button
    nothing: gr.HTML
    hung: gr.State

    def outputs(self) -> list[gr.components.Component]:
        """In the order in which `_hang` gives their values."""
        return [self.grid, self.more, self.nothing, self.hung]


def build_gallery_tab(engine: Engine, tab: gr.Tab, tabs: gr.Tabs, image: ImageForm) -> gr.State:
    """Lay the tab out and wire it; call inside the tab.

    Args:
        tabs: what holds all tabs; those called "image" and "story" are opened.
        image: where the settings of a picture are filled in.

    Returns:
        The id of the story that is to be worked on again; empty until then, and once the visitor
        comes back to this tab.
    """
    reused_story = gr.State("")
    with gr.Row(equal_height=False):
        with gr.Column(scale=6, min_width=320, elem_classes="card"):
            wall = _build_wall()
        with gr.Column(scale=5, min_width=320, elem_classes="beside"):
            piece = build_piece_stage()
    _wire_wall(engine, tab, wall, reused_story)
    _wire_piece(engine, wall, piece)
    piece.reuse.click(
        partial(_reuse, engine, len(image.inputs())),
        inputs=piece.job_id,
        outputs=[*image.inputs(), reused_story, tabs],
        **QUIET,
    )
    return reused_story


def _build_wall() -> Wall:
    kind = gr.Radio(
        list(_KINDS), value="all", label="Show", show_label=False, elem_id="gallery-kind"
    )
    nothing = gr.HTML(visible=False, elem_id="gallery-nothing")
    grid = gr.Gallery(
        label="Everything made here",
        show_label=False,
        columns=3,
        fit_columns=False,
        height="auto",
        object_fit="cover",
        allow_preview=False,
        interactive=False,
        buttons=[],
        visible=False,
        elem_id="gallery-grid",
        elem_classes="wall",
    )
    more = gr.Button("Show more", visible=False, elem_id="gallery-more")
    return Wall(kind, grid, more, nothing, gr.State(Hung()))


def _wire_wall(engine: Engine, tab: gr.Tab, wall: Wall, reused_story: gr.State) -> None:
    gr.on(
        [tab.select, wall.kind.change],
        lambda kind, hung: (*_hang(engine, kind, hung.limit), ""),
        inputs=[wall.kind, wall.hung],
        outputs=[*wall.outputs(), reused_story],
        trigger_mode="always_last",  # so that what was asked for first does not come last
        **QUIET,
    )
    wall.more.click(
        lambda kind, hung: _hang(engine, kind, hung.limit + PAGE),
        inputs=[wall.kind, wall.hung],
        outputs=wall.outputs(),
        **QUIET,
    )


def _wire_piece(engine: Engine, wall: Wall, piece: PieceStage) -> None:
    def open_(hung: Hung, event: gr.SelectData) -> tuple[Any, ...]:
        return _open(engine, hung.ids[event.index])

    def hang_anew(kind: str, hung: Hung) -> tuple[Any, ...]:
        gone = ResultGone("The file of this job is no longer there.")
        return *closed(gone), *_hang(engine, kind, hung.limit)

    opening = wall.grid.select(open_, inputs=wall.hung, outputs=piece.outputs(), **QUIET)
    opening.failure(  # Gradio itself refuses a click on a thumbnail that is no longer there
        hang_anew,
        inputs=[wall.kind, wall.hung],
        outputs=[*piece.outputs(), *wall.outputs()],
        **QUIET,
    )
    piece.close.click(closed, outputs=piece.outputs(), **QUIET)
    piece.really.click(
        partial(_delete, engine),
        inputs=[piece.job_id, wall.kind, wall.hung],
        outputs=[*piece.outputs(), *wall.outputs()],
        **QUIET,
    )


def _hang(engine: Engine, kind: str, limit: int) -> tuple[Any, ...]:
    """Values for the wall's outputs; on a thread, as thumbnails are made on the way."""
    owner = current_visitor().owner
    wanted: Any = None if kind == "all" else kind
    found = engine.gallery.newest(owner=owner, kind=wanted, limit=limit + 1)
    ids, thumbnails = [], []
    for record in found[:limit]:
        try:
            path = engine.gallery.thumbnail(record)
        except ResultGone:  # deleted by hand; the next start takes note of it
            continue
        ids.append(record.snapshot.id)
        thumbnails.append((str(path), caption(record)))
    return (
        gr.Gallery(thumbnails, visible=bool(ids), selected_index=None),
        gr.Button(visible=len(found) > limit),
        gr.HTML(_nothing_html(engine, kind), visible=not ids),
        Hung(limit, tuple(ids)),
    )


def caption(record: Record) -> str:
    """A few words on a thumbnail: the prompt; of a story its length and its hero."""
    request, result = record.request, record.result
    if isinstance(request, VideoRequest):
        assert isinstance(result, VideoResult)
        words = request.hero_description or request.scenes[0]
        return f"▶ {result.duration_s:.3g} s · {_short(words)}"
    return _short(request.prompt)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _CAPTION_LENGTH else f"{line[: _CAPTION_LENGTH - 1].rstrip()}…"


def _nothing_html(engine: Engine, kind: str) -> str:
    days = f"{engine.settings.keep_days:g} days"
    return (
        f'<div class="note quiet nothing"><strong>No {_NAMES[kind]} yet</strong>'
        f"Whatever you make appears here, newest first, and is kept for {days}.</div>"
    )


def _open(engine: Engine, job_id: str) -> tuple[Any, ...]:
    try:
        job = visitors_job(engine, job_id)
        return shown(job, engine.result(job))
    except EngineError as err:
        return closed(err)


def _delete(engine: Engine, job_id: str, kind: str, hung: Hung) -> tuple[Any, ...]:
    left: tuple[Any, ...] = closed()
    try:
        engine.gallery.remove(job_id, owner=current_visitor().owner)
    except JobNotFound:  # gone for good already
        pass
    except EngineError as err:
        left = closed(err)
    return *left, *_hang(engine, kind, hung.limit)


def _reuse(engine: Engine, fields: int, job_id: str) -> tuple[Any, ...]:
    try:
        job = visitors_job(engine, job_id)
    except JobNotFound as err:
        raise gr.Error(err.message, print_exception=False) from err
    if isinstance(job.request, VideoRequest):
        return *(gr.skip(),) * fields, job_id, gr.Tabs(selected="story")
    request = job.request.model_copy(update={"seed": job.seed})
    return *image_values(request), gr.skip(), gr.Tabs(selected="image")
