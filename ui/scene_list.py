"""The list of scenes on the page, redrawn whenever one is added, removed or moved.

A scene's field keeps its text through a redraw because its key is the scene's id. Whatever reads
the fields is wired in here, so that it gets what stands in them at that moment and no keystroke
can be lost on the way.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import gradio as gr

from engine import Engine
from engine.requests import SCENES_MAX, SCENES_MIN
from ui import storyboard
from ui.story_form import StoryForm, summarize
from ui.storyboard import Board, SceneDraft

_HINTS = ("Who does what, where and when…", "What happens next…", "How it ends…")
# Gradio tells of a changed gr.State only through its queue: whatever writes one must use it.
_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
Change = Callable[[Board], Board]


@dataclass(frozen=True)
class SceneOrder:
    """What stood on the page when Generate was pressed; no two orders are equal."""

    form_values: tuple[Any, ...]
    scenes: tuple[str, ...]
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True)
class SceneWires:
    """What the scenes' fields are connected to."""

    engine: Engine
    form: StoryForm
    board: gr.State
    plan: gr.State
    """The story on the page as a VideoRequest in JSON; empty while it cannot be made."""
    order: gr.State
    """A SceneOrder, placed when Generate is pressed."""
    summary: gr.HTML
    generate: gr.Button


def draw_scenes(wires: SceneWires, board: Board) -> None:
    """Draw the fields and wire them; called by `gr.render`."""
    boxes, tools = [], []
    for index, draft in enumerate(board):
        with gr.Row(elem_classes="scene"):
            boxes.append(_scene_box(draft, index))
            with gr.Row(elem_classes="scene-tools"):
                tools.append(_scene_tools(draft, index, len(board)))
    add = gr.Button(
        "Add a scene",
        interactive=len(board) < SCENES_MAX,
        size="md",
        elem_id="add-scene",
        key="add",
    )
    _wire_changes(wires, board, boxes, tools, add)
    _wire_readers(wires, boxes)


def _scene_box(draft: SceneDraft, index: int) -> gr.Textbox:
    return gr.Textbox(
        draft.text,
        label=f"Scene {index + 1}",
        placeholder=_HINTS[min(index, len(_HINTS) - 1)],
        lines=2,
        max_lines=6,
        interactive=True,
        elem_classes="scene-text",
        key=f"scene-{draft.id}",
        min_width=200,
    )


def _scene_tools(draft: SceneDraft, index: int, count: int) -> tuple[gr.Button, ...]:
    usable = {"Up": index > 0, "Down": index < count - 1, "Remove": count > SCENES_MIN}
    return tuple(
        gr.Button(
            name,
            size="sm",
            interactive=interactive,
            elem_classes=name.lower(),
            key=f"{name}-{draft.id}",
            min_width=0,
        )
        for name, interactive in usable.items()
    )


def _wire_changes(
    wires: SceneWires,
    board: Board,
    boxes: list[gr.Textbox],
    tools: list[tuple[gr.Button, ...]],
    add: gr.Button,
) -> None:
    def wire(button: gr.Button, change: Change, key: str) -> None:
        work = partial(_changed, board, change)
        button.click(work, inputs=boxes, outputs=wires.board, key=key, **_QUIET)

    for index, (up, down, remove) in enumerate(tools):
        scene = board[index].id
        wire(up, partial(storyboard.moved, index=index, by=-1), f"on-up-{scene}")
        wire(down, partial(storyboard.moved, index=index, by=1), f"on-down-{scene}")
        wire(remove, partial(storyboard.removed, index=index), f"on-remove-{scene}")
    wire(add, storyboard.added, "on-add")


def _changed(board: Board, change: Change, *texts: str) -> Board:
    return change(storyboard.with_texts(board, texts))


def _wire_readers(wires: SceneWires, boxes: list[gr.Textbox]) -> None:
    form_inputs = wires.form.inputs()
    count = len(form_inputs)

    def tell(*values: Any) -> tuple[str, str]:
        return summarize(wires.engine, values[:count], values[count:])

    def order(*values: Any) -> tuple[Any, Any]:
        return SceneOrder(values[:count], values[count:]), gr.Button(interactive=False)

    inputs = [*form_inputs, *boxes]
    gr.on(
        None,
        tell,
        inputs=inputs,
        outputs=[wires.summary, wires.plan],
        queue=False,
        key="on-change",
        **_QUIET,
    )
    wires.generate.click(
        order, inputs=inputs, outputs=[wires.order, wires.generate], key="on-generate", **_QUIET
    )
