"""The list of scenes that is being written: pure functions from one list to the next."""

from dataclasses import dataclass

from engine.requests import SCENES_MAX, SCENES_MIN


@dataclass(frozen=True)
class SceneDraft:
    """One scene's text. `id` stays with it when it moves, so that its field on the page does."""

    id: int
    text: str = ""


Board = tuple[SceneDraft, ...]


def new_board(texts: tuple[str, ...], *, after: Board = ()) -> Board:
    """A board with these texts; its ids are others than those of the board it follows."""
    first = _next_id(after)
    return tuple(SceneDraft(first + index, text) for index, text in enumerate(texts))


def with_texts(board: Board, texts: tuple[str, ...]) -> Board:
    """The same scenes with what now stands in their fields."""
    return tuple(SceneDraft(draft.id, text) for draft, text in zip(board, texts, strict=True))


def added(board: Board) -> Board:
    """One empty scene more, unless the board is full."""
    return board if len(board) >= SCENES_MAX else (*board, SceneDraft(_next_id(board)))


def removed(board: Board, index: int) -> Board:
    """One scene less, unless no story would be left."""
    return board if len(board) <= SCENES_MIN else board[:index] + board[index + 1 :]


def moved(board: Board, index: int, by: int) -> Board:
    """One scene moved up (-1) or down (1); at the end of the board nothing changes."""
    target = index + by
    if not 0 <= target < len(board):
        return board
    drafts = list(board)
    drafts[index], drafts[target] = drafts[target], drafts[index]
    return tuple(drafts)


def _next_id(board: Board) -> int:
    return max((draft.id for draft in board), default=-1) + 1
