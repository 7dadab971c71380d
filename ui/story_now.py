"""What stands on the story tab at one moment, and the story that it is."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine import Engine, VideoRequest
from engine.requests import SEED_MAX, ImageTask
from engine.story import plan_scenes
from ui.scene_pictures import ScenePicture, look_at_scenes
from ui.story_form import story_request
from ui.storyboard import Board, Sources

UNWRITTEN = "…"
Pictures = Mapping[int, ScenePicture]
"""By the ids of the scenes."""


@dataclass(frozen=True)
class Written:
    """What stands on the tab at one moment."""

    form: tuple[Any, ...]
    board: Board
    sources: Sources
    job_id: str | None
    """The story that is followed."""
    notice: str
    """Why the last click began nothing, as HTML; empty where it did."""
    shown: str | None
    """The story whose video is to be seen."""
    touched: bool
    """Whether it is the visitor's, though it may be empty."""


def see_pictures(engine: Engine, now: Written) -> Pictures:
    """How the pictures of the scenes stand."""
    ids = [draft.id for draft in now.board]
    return look_at_scenes(engine, ids, now.sources)


def read_story(now: Written, pictures: Pictures, *, decided: bool = False) -> VideoRequest:
    """The story on the page, with a mark where a scene has no words yet.

    Args:
        decided: give a seed to the scenes that have none.

    Raises:
        InvalidRequest: a field cannot be read.
        ValidationError: a value is not allowed.
    """
    board = tuple(
        draft if draft.text.strip() else replace(draft, text=UNWRITTEN) for draft in now.board
    )
    seeds = choose_seeds(board, pictures) if decided else _drawn_seeds(pictures)
    return story_request(now.form, board, seeds)


def wanted(request: VideoRequest) -> list[ImageTask]:
    """The pictures of a story; what has no seed yet is seeded somehow."""
    return plan_scenes(request, request.seed or 0)


def choose_seeds(board: Board, pictures: Pictures) -> dict[int, int]:
    """A seed for every scene by its id: of its picture, else a new one."""
    first = secrets.randbelow(SEED_MAX + 1 - len(board))
    new = {draft.id: first + index for index, draft in enumerate(board)}
    return {**new, **_drawn_seeds(pictures)}


def _drawn_seeds(pictures: Pictures) -> dict[int, int]:
    return {id_: pic.seed for id_, pic in pictures.items() if pic.seed is not None}


def missing(board: Board, pictures: Pictures, tasks: list[ImageTask]) -> list[int]:
    """Places of the scenes, from 0, whose picture is neither there nor coming as it is wanted."""
    return [
        index
        for index, (draft, task) in enumerate(zip(board, tasks, strict=True))
        if pictures[draft.id].task != task
    ]
