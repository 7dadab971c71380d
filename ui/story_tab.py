"""The tab that turns a hero and a list of scenes into a story video."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import gradio as gr

from engine import Engine, VideoResult
from ui import samples, storyboard
from ui.progress import make
from ui.running import RunControls, build_run, offer_cancel
from ui.samples import SampleStory
from ui.scene_list import SceneOrder, SceneWires, draw_scenes
from ui.story_form import build_hero, build_story_form, story_request
from ui.story_stage import StoryStage, build_story_stage, show_story
from ui.storyboard import Board


def build_story_tab(engine: Engine) -> gr.State:
    """Lay the tab out and wire it; call inside a tab.

    Returns:
        The story as it now stands on the page: a VideoRequest as JSON, empty if there is none.
    """
    board = gr.State(storyboard.new_board(("", "", "")))
    plan, order = gr.State(""), gr.State(None)
    with gr.Row(equal_height=False):
        with gr.Column(scale=6, min_width=320, elem_classes="card"):
            hero = build_hero()
            _build_samples(hero, board)
            scenes = gr.Column(elem_classes="scenes")
        with gr.Column(scale=5, min_width=320):
            with gr.Column(elem_classes="card"):
                form = build_story_form(hero)
                summary = gr.HTML(elem_id="story-summary")
                run = build_run("story", "Make the video")
            with gr.Column(elem_classes=["card", "stage"]):
                stage = build_story_stage()
    wires = SceneWires(engine, form, board, plan, order, summary, run.generate)
    with scenes:

        @gr.render(inputs=board, show_progress="hidden")
        def draw(board: Board) -> None:
            draw_scenes(wires, board)

    _wire_work(engine, order, run, stage)
    return plan


def _build_samples(hero: gr.Textbox, board: gr.State) -> None:
    with gr.Row(elem_classes="chips"):
        for sample in samples.STORIES:
            chip = gr.Button(sample.name, size="sm")
            chip.click(
                partial(_fill_in, sample),
                inputs=board,
                outputs=[hero, board],
                show_progress="hidden",
                api_visibility="private",
            )


def _fill_in(sample: SampleStory, board: Board) -> tuple[str, Board]:
    return sample.hero, storyboard.new_board(sample.scenes, after=board)


def _wire_work(engine: Engine, order: gr.State, run: RunControls, stage: StoryStage) -> None:
    """Begin when an order is placed: apart from the scenes, which may be redrawn meanwhile."""
    work = order.change(
        partial(_make, engine),
        inputs=order,
        outputs=[*run.outputs(), *stage.outputs()],
        trigger_mode="once",
        concurrency_limit=None,
        show_progress="hidden",
        api_visibility="private",
    )
    offer_cancel(engine, run, work)


async def _make(engine: Engine, order: SceneOrder) -> AsyncIterator[tuple[Any, ...]]:
    kept = (gr.skip(),) * 6
    build = partial(story_request, order.form_values, order.scenes)
    async for moment in make(engine, build, "That cannot be made yet."):
        shown = show_story(moment.result) if isinstance(moment.result, VideoResult) else kept
        yield *RunControls.show(moment), *shown
