"""The list of scenes that is being written."""

import pytest

from engine.errors import InvalidRequest
from engine.requests import SCENES_MAX, SCENES_MIN, SEED_MAX
from ui.storyboard import (
    SceneDraft,
    Source,
    added,
    carried,
    duplicated,
    moved,
    new_board,
    removed,
    scene_order,
    scene_seconds,
    scene_seeds,
    with_fields,
)


def texts(board):
    return [draft.text for draft in board]


def test_scenes_keep_their_ids_when_they_move() -> None:
    board = new_board(("a", "b", "c"))
    after = moved(board, 0, 1)
    assert texts(after) == ["b", "a", "c"]
    assert {draft.id: draft.text for draft in after} == {draft.id: draft.text for draft in board}


def test_moving_past_an_end_changes_nothing() -> None:
    board = new_board(("a", "b"))
    assert moved(board, 0, -1) == board
    assert moved(board, 1, 1) == board


def test_a_new_scene_has_an_id_of_its_own() -> None:
    board = removed(new_board(("a", "b", "c")), 0)
    assert texts(board) == ["b", "c"]
    grown = added(board)
    assert len({draft.id for draft in grown}) == 3
    assert texts(grown) == ["b", "c", ""]


def test_the_board_stays_within_the_bounds_of_a_request() -> None:
    smallest = new_board(("a",) * SCENES_MIN)
    largest = new_board(("a",) * SCENES_MAX)
    assert removed(smallest, 0) == smallest
    assert added(largest) == largest


def test_another_story_shares_no_id_with_the_one_before() -> None:
    board = new_board(("a", "b"))
    following = new_board(("c", "d"), after=board)
    assert {d.id for d in board}.isdisjoint({d.id for d in following})


def test_a_duplicate_says_the_same_under_another_id() -> None:
    board = with_fields(new_board(("", "")), "0 1", "a", "b", "7", "", "", "2.5")
    after = duplicated(board, 0)
    assert [(d.text, d.seed, d.seconds) for d in after] == [
        ("a", "7", ""),
        ("a", "7", ""),
        ("b", "", "2.5"),
    ]
    assert len({draft.id for draft in after}) == 3
    largest = new_board(("a",) * SCENES_MAX)
    assert duplicated(largest, 0) == largest


def test_fields_replace_what_stood_there() -> None:
    board = new_board(("", ""))
    after = with_fields(board, scene_order(board), "a", "b", "1", "", "", "2")
    assert [d.id for d in after] == [d.id for d in board]
    assert after == (SceneDraft(0, "a", "1", ""), SceneDraft(1, "b", "", "2"))


def test_fields_of_a_browser_that_lags_behind_go_to_their_own_scenes() -> None:
    board = new_board(("a", "b", "c"))
    stale = scene_order(board), *("A", "B", "C"), *("1", "2", "3"), *("", "", "")
    after = with_fields(added(moved(removed(board, 0), 0, 1)), *stale)
    assert [(d.text, d.seed) for d in after] == [("C", "3"), ("B", "2"), ("", "")]


def test_own_lengths_stand_beside_the_usual_one() -> None:
    board = new_board(("a", "b"))
    assert scene_seconds(board, 3.0) is None
    assert scene_seconds((board[0], SceneDraft(1, "b", seconds="1,5")), 3.0) == [3.0, 1.5]
    with pytest.raises(InvalidRequest, match="length of scene 2"):
        scene_seconds((board[0], SceneDraft(1, "b", seconds="long")), 3.0)


def test_a_scenes_own_seed_comes_first_then_the_storys_then_the_pictures() -> None:
    board = (SceneDraft(4, "a"), SceneDraft(9, "b", seed="7"), SceneDraft(5, "c"))
    drawn = {4: 100, 9: 101}
    assert scene_seeds(board, None, {}) == [None, 7, None]
    assert scene_seeds(board, None, drawn) == [100, 7, None]
    assert scene_seeds(board, SEED_MAX, drawn) == [SEED_MAX, 7, 1]


@pytest.mark.parametrize("seed", ["x", "-1", str(SEED_MAX + 1), "1.5"])
def test_a_seed_that_is_none_is_told_with_its_scene(seed: str) -> None:
    with pytest.raises(InvalidRequest, match="seed of scene 1"):
        scene_seeds((SceneDraft(0, "a", seed=seed),), None, {})


def test_pictures_go_with_their_scenes() -> None:
    board = new_board(("a", "b", "c"))
    sources = {0: Source("first"), 2: Source("last", 3)}
    assert carried(sources, board, moved(board, 0, 1), None) == sources
    assert carried(sources, board, removed(board, 2), 2) == {0: Source("first")}
    assert carried(sources, board, added(board), None) == sources
    copy = duplicated(board, 2)[3].id
    assert carried(sources, board, duplicated(board, 2), 2) == {**sources, copy: Source("last", 3)}
    assert carried(sources, board, duplicated(board, 1), 1) == sources


def test_a_picture_does_not_come_back_with_the_id_of_its_scene() -> None:
    board = new_board(("a", "b", "c"))
    sources = {2: Source("gone")}
    fewer = removed(board, 2)
    left = carried(sources, board, fewer, 2)
    assert added(fewer)[2].id == 2
    assert carried(left, fewer, added(fewer), None) == {}
