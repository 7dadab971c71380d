from engine.requests import SCENES_MAX, SCENES_MIN
from ui.storyboard import added, moved, new_board, removed, with_texts


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


def test_texts_replace_what_stood_there() -> None:
    assert texts(with_texts(new_board(("", "")), ("a", "b"))) == ["a", "b"]
