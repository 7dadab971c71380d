"""The story that is being written, scene by scene: pure functions from one board to the next."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any

from engine.errors import InvalidRequest
from engine.requests import SCENES_MAX, SCENES_MIN, SEED_MAX
from ui.controls import parse_number

_SEEDS = f"Seeds go from 0 to {SEED_MAX}."


@dataclass(frozen=True)
class SceneDraft:
    """One scene as it stands in its fields. `id` stays with it when it moves."""

    id: int
    text: str = ""
    seed: str = ""
    """Empty: free, another one whenever the scene is drawn anew."""
    seconds: str = ""
    """Empty: as long as every scene."""


@dataclass(frozen=True)
class Source:
    """Where a scene's picture comes from: a scene of a job, from 1; a picture has one."""

    job_id: str
    number: int = 1
    before: "Source | None" = None
    """What is shown should that end without a picture."""


Board = tuple[SceneDraft, ...]
Sources = Mapping[int, Source]
"""By the ids of the scenes; a scene without one was never drawn."""


def new_board(texts: tuple[str, ...], *, after: Board = ()) -> Board:
    """A board with these texts; its ids are others than those of the board it follows."""
    first = _next_id(after)
    return tuple(SceneDraft(first + index, text) for index, text in enumerate(texts))


def scene_order(board: Board) -> str:
    """The ids of the scenes as a text that goes through the browser."""
    return " ".join(str(draft.id) for draft in board)


def with_fields(board: Board, order: str, *fields: str) -> Board:
    """The same scenes as they now stand in their fields: all texts, then seeds, then seconds.

    Args:
        order: of the scenes in those fields. A browser that has not heard of a change yet has
            another than the board.
    """
    ids = order.split()
    count = len(ids)
    rows = zip(fields[:count], fields[count : 2 * count], fields[2 * count :], strict=True)
    written = dict(zip(ids, rows, strict=True))
    return tuple(
        SceneDraft(draft.id, *(value or "" for value in written[str(draft.id)]))
        if str(draft.id) in written
        else draft
        for draft in board
    )


def added(board: Board) -> Board:
    """One empty scene more, unless the board is full."""
    return board if len(board) >= SCENES_MAX else (*board, SceneDraft(_next_id(board)))


def removed(board: Board, index: int) -> Board:
    """One scene less, unless no story would be left."""
    return board if len(board) <= SCENES_MIN else board[:index] + board[index + 1 :]


def duplicated(board: Board, index: int) -> Board:
    """The scene once more, right after itself, unless the board is full."""
    if len(board) >= SCENES_MAX:
        return board
    _, *written = astuple(board[index])
    return (*board[: index + 1], SceneDraft(_next_id(board), *written), *board[index + 1 :])


def moved(board: Board, index: int, by: int) -> Board:
    """One scene moved up (-1) or down (1); at the end of the board nothing changes."""
    target = index + by
    if not 0 <= target < len(board):
        return board
    drafts = list(board)
    drafts[index], drafts[target] = drafts[target], drafts[index]
    return tuple(drafts)


def carried(sources: Sources, before: Board, after: Board, copied: int | None) -> Sources:
    """Where the pictures come from after a change of the board.

    Args:
        copied: the scene, by its id, that a new one repeats; None: a new one has no picture.
    """
    there = {draft.id for draft in before}
    origin = {draft.id: draft.id if draft.id in there else copied for draft in after}
    return {id_: sources[old] for id_, old in origin.items() if old in sources}


def scene_seconds(board: Board, usual_s: Any) -> list[float] | None:
    """How long each scene is held; None if all are as usual.

    Raises:
        InvalidRequest: a field cannot be read.
    """
    own = [
        parse_number(draft.seconds, float, f"length of scene {number}", "a number of seconds")
        for number, draft in enumerate(board, start=1)
    ]
    if all(seconds is None for seconds in own):
        return None
    return [usual_s if seconds is None else seconds for seconds in own]


def scene_seeds(board: Board, story_seed: int | None, drawn: Mapping[int, int]) -> list[int | None]:
    """The seed of each scene: its own, else the story's plus its place, else as it was drawn.

    Args:
        drawn: seeds of the pictures that are there, by the ids of the scenes.

    Raises:
        InvalidRequest: a field cannot be read.
    """
    if story_seed is not None and not 0 <= story_seed <= SEED_MAX:
        raise InvalidRequest("The seed is out of range.", advice=_SEEDS)
    seeds = []
    for index, draft in enumerate(board):
        seed = parse_number(draft.seed, int, f"seed of scene {index + 1}", "a whole number")
        if seed is not None and not 0 <= seed <= SEED_MAX:
            raise InvalidRequest(
                f"The seed of scene {index + 1} is out of range.",
                advice=_SEEDS,
            )
        if seed is None and story_seed is not None:
            seed = (story_seed + index) % (SEED_MAX + 1)
        seeds.append(drawn.get(draft.id) if seed is None else int(seed))
    return seeds


def _next_id(board: Board) -> int:
    return max((draft.id for draft in board), default=-1) + 1
