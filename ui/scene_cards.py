"""The storyboard's cards, redrawn whenever a scene is added, removed or moved.

A card's fields keep what stands in them through a redraw, because their keys are the scene's id.
Whatever reads the fields is wired in here, so that it gets what stands in them at that moment and
no keystroke can be lost on the way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from engine.requests import SCENES_MAX, SCENES_MIN
from ui import story_work, storyboard
from ui.events import QUIET
from ui.story_desk import StoryDesk
from ui.story_now import Written
from ui.storyboard import Board, SceneDraft, Sources

_HINTS = ("Who does what, where and when…", "What happens next…", "How it ends…")
# One after the other, for each reads what stands there and replaces it. And queued, for only so
# does Gradio tell of a changed gr.State.
_ALONE: dict[str, Any] = {**QUIET, "concurrency_id": "storyboard", "concurrency_limit": 1}
Change = Callable[[Board], Board]


@dataclass(frozen=True)
class Card:
    """The components of one scene."""

    picture: gr.HTML
    text: gr.Textbox
    seed: gr.Textbox
    seconds: gr.Textbox
    redraw: gr.Button
    keep_seed: gr.Button
    tools: dict[str, gr.Button]


def draw_cards(desk: StoryDesk, board: Board) -> None:
    """Draw the cards and wire them; called by `gr.render`."""
    cards = [_draw_card(draft, index, len(board)) for index, draft in enumerate(board)]
    add = gr.Button(
        "Add a scene",
        interactive=len(board) < SCENES_MAX,
        size="md",
        elem_id="add-scene",
        key="add",
    )
    order = gr.Textbox(storyboard.scene_order(board), visible=False)
    wires = _CardWires(desk, board, order, cards)
    wires.wire_board(add)
    wires.wire_looks()
    wires.wire_work()


def _draw_card(draft: SceneDraft, index: int, count: int) -> Card:
    with gr.Row(elem_classes="scene", equal_height=False):
        picture = gr.HTML(key=f"picture-{draft.id}", elem_classes="scene-picture", min_width=96)
        with gr.Column(scale=4, min_width=180, elem_classes="scene-fields"):
            text = gr.Textbox(
                draft.text,
                label=f"Scene {index + 1}",
                placeholder=_HINTS[min(index, len(_HINTS) - 1)],
                lines=2,
                max_lines=6,
                interactive=True,
                elem_classes="scene-text",
                key=f"scene-{draft.id}",
            )
            with gr.Row(elem_classes="scene-numbers"):
                seed = _small("Seed", "random", draft.seed, f"seed-{draft.id}", 10)
                seconds = _small("Seconds", "as all", draft.seconds, f"seconds-{draft.id}", 6)
            with gr.Row(elem_classes="scene-tools"):
                redraw = _tool("Redraw", draft, "redraw")
                keep_seed = _tool("Keep seed", draft, "keep-seed")
                tools = _board_tools(draft, index, count)
    return Card(picture, text, seed, seconds, redraw, keep_seed, tools)


def _small(label: str, placeholder: str, value: str, key: str, most: int) -> gr.Textbox:
    return gr.Textbox(
        value,
        label=label,
        placeholder=placeholder,
        max_length=most,
        min_width=80,
        interactive=True,
        elem_classes=f"scene-{label.lower()}",
        key=key,
    )


def _tool(name: str, draft: SceneDraft, kind: str, *, interactive: bool = True) -> gr.Button:
    return gr.Button(
        name,
        size="sm",
        interactive=interactive,
        elem_classes=kind,
        key=f"{kind}-{draft.id}",
        min_width=0,
    )


def _board_tools(draft: SceneDraft, index: int, count: int) -> dict[str, gr.Button]:
    usable = {
        "Up": index > 0,
        "Down": index < count - 1,
        "Duplicate": count < SCENES_MAX,
        "Remove": count > SCENES_MIN,
    }
    return {name: _tool(name, draft, name.lower(), interactive=can) for name, can in usable.items()}


class _CardWires:
    """Connects one drawing of the cards; what it reads are the fields of this drawing."""

    def __init__(self, desk: StoryDesk, board: Board, order: gr.Textbox, cards: list[Card]) -> None:
        self._desk = desk
        self._board = board
        self._cards = cards
        fields = [card.text for card in cards], [card.seed for card in cards]
        self._fields = [order, *fields[0], *fields[1], *(card.seconds for card in cards)]
        self._inputs = [*desk.inputs(), *self._fields]

    def wire_board(self, add: gr.Button) -> None:
        """What changes the list of scenes."""
        board = self._board
        for index, card in enumerate(self._cards):
            id_ = board[index].id
            changes: dict[str, Change] = {
                "Up": partial(storyboard.moved, index=index, by=-1),
                "Down": partial(storyboard.moved, index=index, by=1),
                "Duplicate": partial(storyboard.duplicated, index=index),
                "Remove": partial(storyboard.removed, index=index),
            }
            for name, button in card.tools.items():
                self._wire_change(button, changes[name], f"on-{name}-{id_}", copied=id_)
        self._wire_change(add, storyboard.added, "on-add")

    def _wire_change(
        self, button: gr.Button, change: Change, key: str, *, copied: int | None = None
    ) -> None:
        desk = self._desk

        def changed(sources: Sources, *fields: str) -> tuple[Board, Sources]:
            before = storyboard.with_fields(self._board, *fields)
            after = change(before)
            kept = storyboard.carried(sources, before, after, copied)
            story_work.leave(desk.engine, sources, kept)
            return after, kept

        button.click(
            changed,
            inputs=[desk.sources, *self._fields],
            outputs=[desk.board, desk.sources],
            key=key,
            **_ALONE,
        )

    def wire_looks(self) -> None:
        """What keeps the page true: after every change, and at every tick while work goes on."""
        desk = self._desk
        seen = [*desk.seen(), *(card.picture for card in self._cards)]
        gr.on(
            None,
            partial(self._told, desk.read),
            inputs=self._inputs,
            outputs=[*desk.told(), *seen],
            queue=False,
            key="on-change",
            **QUIET,
        )
        desk.clock.tick(
            partial(desk.look, self._board),
            inputs=[desk.plan, *desk.states()],
            outputs=[*desk.ended(), *seen],
            concurrency_limit=None,
            key="on-tick",
            **QUIET,
        )

    def wire_work(self) -> None:
        """What draws."""
        desk = self._desk
        for button, work, key in (
            (desk.draw, story_work.draw_missing, "on-draw"),
            (desk.generate, story_work.make_video, "on-generate"),
        ):
            button.click(
                partial(self._told, partial(work, desk.engine)),
                inputs=self._inputs,
                outputs=desk.started(),
                key=key,
                **_ALONE,
            )
        for index, card in enumerate(self._cards):
            id_ = self._board[index].id
            card.redraw.click(
                partial(self._told, partial(story_work.redraw, desk.engine, index)),
                inputs=self._inputs,
                outputs=[card.seed, *desk.started()],
                key=f"on-redraw-{id_}",
                **_ALONE,
            )
            card.keep_seed.click(
                partial(story_work.keep_seed, desk.engine, id_),
                inputs=[desk.sources, card.seed],
                outputs=card.seed,
                key=f"on-keep-seed-{id_}",
                **QUIET,
            )

    def _told(self, work: Callable[[Written], Any], *values: Any) -> Any:
        """Give a handler what stands on the page."""
        return work(self._desk.written(self._board, values))
