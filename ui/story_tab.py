"""The tab that turns a hero and a storyboard into a story video."""

from dataclasses import replace
from functools import partial
from typing import Any

import gradio as gr

from engine import Engine, VideoRequest
from ui import samples, story_work, storyboard
from ui.events import QUIET, told
from ui.running import build_actions
from ui.samples import SampleStory
from ui.scene_cards import draw_cards
from ui.story_desk import StoryDesk
from ui.story_draft import read_draft
from ui.story_form import build_hero, build_story_form, story_board, story_values
from ui.story_stage import build_story_stage
from ui.storyboard import Board, Source
from ui.visitors import find_job

# On a phone the video comes far above the button that made it.
_TO_THE_VIDEO = """() => {
  if (innerWidth > 640 || !document.activeElement?.classList.contains("generate")) return;
  document.querySelector("#story-result").scrollIntoView({ block: "center" });
}"""


def build_story_tab(engine: Engine, draft: gr.HTML) -> StoryDesk:
    """Lay the tab out and wire it; call inside a tab.

    Args:
        draft: the bookmark of this tab.
    """
    desk, cards, chips = _lay_out(engine, draft)
    with cards:
        # One at a time: what a drawing of the cards remembers is the page's, not a visitor's.
        @gr.render(inputs=desk.board, show_progress="hidden", concurrency_limit=1)
        def draw_board(board: Board) -> None:
            draw_cards(desk, board)

    _wire_chips(desk, chips)
    _wire_undo(desk)
    desk.shown.change(None, js=_TO_THE_VIDEO)
    desk.cancel.click(
        partial(_cancel, engine),
        inputs=[desk.sources, desk.job_id],
        outputs=[desk.cancel, desk.clock],
        queue=False,
        **QUIET,
    )
    return desk


def _lay_out(engine: Engine, draft: gr.HTML) -> tuple[StoryDesk, gr.Column, dict[str, gr.Button]]:
    """The tab, the place of the cards in it, and its chips."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=7, min_width=320, elem_classes="card"):
            hero = build_hero()
            count = gr.HTML(elem_id="story-hero-count")
            chips, undo = _build_chips()
            cards = gr.Column(elem_classes="scenes")
            draw = gr.Button("Draw the storyboard", elem_id="draw-storyboard")
            timeline = gr.HTML(elem_id="story-summary")
        with gr.Column(scale=5, min_width=320, elem_classes="side"):
            with gr.Column(elem_classes=["card", "stage"]):
                stage = build_story_stage()
            with gr.Column(elem_classes="card"):
                form = build_story_form(hero)
                generate, cancel, progress = build_actions("story", "Make the video")
    desk = StoryDesk(
        engine=engine,
        form=form,
        generate=generate,
        cancel=cancel,
        progress=progress,
        draw=draw,
        count=count,
        timeline=timeline,
        stage=stage,
        board=gr.State(storyboard.new_board(("", "", ""))),
        sources=gr.State({}),
        job_id=gr.State(None),
        notice=gr.State(""),
        shown=gr.State(None),
        touched=gr.State(False),
        plan=gr.State(""),
        draft=draft,
        undo=undo,
        replaced=gr.State(""),
        clock=gr.Timer(story_work.LATER_S),
    )
    return desk, cards, chips


def restore_story(desk: StoryDesk) -> None:
    """Bring back what the browser has kept, when the page comes back."""
    outputs = [desk.touched, *_story_outputs(desk)]

    def restore(event: gr.EventData) -> tuple[Any, ...]:
        found = _brought_back(desk, told(event, "kept"))
        return (gr.skip(),) * len(outputs) if found is None else (True, *found)

    desk.draft.found(restore, outputs=outputs, **QUIET)


def reopen_story(desk: StoryDesk, job_id: gr.State) -> None:
    """Bring back a story that was made, with its pictures, whenever its id stands there."""
    job_id.change(
        partial(_reopen, desk),
        inputs=[job_id, desk.board, desk.draft],
        outputs=[*_story_outputs(desk), *desk.undoing()],
        **QUIET,
    )


def _reopen(desk: StoryDesk, job_id: str, board: Board, draft: str) -> tuple[Any, ...]:
    job = find_job(desk.engine, job_id)
    if job is None or not isinstance(job.request, VideoRequest):
        return (gr.skip(),) * (len(_story_outputs(desk)) + len(desk.undoing()))
    # Seeds stay with the pictures, free to be drawn anew.
    scenes = tuple(replace(d, seed="") for d in story_board(job.request, after=board))
    sources = {draft.id: Source(job.id, place) for place, draft in enumerate(scenes, start=1)}
    story = (*story_values(job.request), scenes, sources, job.id, gr.Timer(story_work.SOON_S))
    return *story, *_undo_values(draft)


def _wire_undo(desk: StoryDesk) -> None:
    def undo(replaced: str, draft: str) -> tuple[Any, ...]:
        found = _brought_back(desk, replaced)
        kept = (gr.skip(),) * len(_story_outputs(desk))
        return *(found or kept), *_undo_values(draft)

    desk.undo.click(
        undo,
        inputs=[desk.replaced, desk.draft],
        outputs=[*_story_outputs(desk), *desk.undoing()],
        **QUIET,
    )


def _undo_values(draft: str) -> tuple[Any, ...]:
    """Values for `StoryDesk.undoing` when another story takes the place of this one."""
    return draft, gr.Button(visible=bool(draft))


def _brought_back(desk: StoryDesk, draft: object) -> tuple[Any, ...] | None:
    """Values for `_story_outputs` from what was kept; None where there is nothing."""
    found = read_draft(draft, len(desk.form.inputs()))
    if found is None:
        return None
    form, *rest = found
    return *form, *rest, gr.Timer(story_work.SOON_S)


def _story_outputs(desk: StoryDesk) -> list[gr.components.Component]:
    """What makes up a story that is brought back."""
    return [*desk.form.inputs(), desk.board, desk.sources, desk.job_id, desk.clock]


def _build_chips() -> tuple[dict[str, gr.Button], gr.Button]:
    """What begins another story, and what takes that back."""
    with gr.Row(elem_classes="chips"):
        chips = {sample.name: gr.Button(sample.name, size="sm") for sample in samples.STORIES}
        chips["Start over"] = gr.Button("Start over", size="sm", elem_classes="quiet")
        undo = gr.Button(
            "Undo", size="sm", elem_classes="quiet", visible=False, elem_id="story-undo"
        )
    return chips, undo


def _wire_chips(desk: StoryDesk, chips: dict[str, gr.Button]) -> None:
    empty = SampleStory("", "", ("", "", ""))
    stories = {sample.name: sample for sample in samples.STORIES}
    for name, chip in chips.items():
        chip.click(
            partial(_fill_in, desk.engine, stories.get(name, empty)),
            inputs=[desk.board, desk.sources, desk.draft],
            outputs=[
                *(desk.form.hero, desk.board, desk.sources, desk.notice, desk.touched),
                *desk.undoing(),
            ],
            **QUIET,
        )


def _fill_in(
    engine: Engine, sample: SampleStory, board: Board, sources: storyboard.Sources, draft: str
) -> tuple[Any, ...]:
    story_work.leave(engine, sources, {})
    scenes = storyboard.new_board(sample.scenes, after=board)
    return sample.hero, scenes, {}, "", True, *_undo_values(draft)


def _cancel(engine: Engine, sources: storyboard.Sources, job_id: str | None) -> tuple[Any, Any]:
    story_work.cancel(engine, sources, job_id)
    return gr.Button(interactive=True), gr.Timer(story_work.SOON_S)
