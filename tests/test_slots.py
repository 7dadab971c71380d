"""Which rows share a pass: by example, and as a whole service of made-up rows."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.slots import Slots

Named = Slots[str, str]


def filled(*rows: tuple[str, str, str]) -> Named:
    slots = Named()
    for row, size, turn in rows:
        slots.add(row, size, turn)
    return slots


def passes(slots: Named, count: int, limit: int = 2) -> list[list[str]]:
    return [list(slots.choose(lambda size: limit)) for _ in range(count)]


def test_without_rows_there_is_no_pass() -> None:
    slots = Named()
    assert passes(slots, 2) == [[], []] and len(slots) == 0


def test_rows_of_one_size_share_a_pass_and_others_wait_their_turn() -> None:
    slots = filled(("a", "small", "x"), ("b", "large", "x"), ("c", "small", "x"))
    assert passes(slots, 4) == [["a", "c"], ["b"], ["a", "c"], ["b"]]


def test_who_has_begun_goes_on_before_others_join() -> None:
    slots = filled(*((name, "small", name) for name in "abcd"))
    assert passes(slots, 2) == [["a", "b"]] * 2
    slots.discard("a")
    assert passes(slots, 2) == [["b", "c"]] * 2


def test_new_rows_join_in_turn() -> None:
    slots = filled(*((f"a{n}", "small", "a") for n in range(3)), ("b", "small", "b"))
    assert passes(slots, 1) == [["a0", "b"]]
    slots.discard("a0")
    slots.discard("b")
    assert passes(slots, 1) == [["a1", "a2"]]


def test_a_smaller_limit_leaves_the_latest_out_until_there_is_room() -> None:
    slots = filled(*((name, "small", name) for name in "abcd"))
    assert passes(slots, 1, limit=4) == [["a", "b", "c", "d"]]
    assert passes(slots, 2, limit=2) == [["a", "b"]] * 2
    slots.discard("b")
    assert passes(slots, 1, limit=2) == [["a", "c"]]


def test_a_limit_below_one_is_one() -> None:
    assert passes(filled(("a", "small", "x"), ("b", "small", "x")), 1, limit=0) == [["a"]]


def test_each_size_has_a_limit_of_its_own() -> None:
    slots = filled(*((f"{size}{n}", size, "x") for size in ("big", "small") for n in range(3)))
    limits = {"big": 1, "small": 3}
    assert [len(slots.choose(limits.__getitem__)) for _ in range(4)] == [1, 3, 1, 3]


def test_sizes_share_the_time_and_not_the_passes() -> None:
    slots = filled(("a", "big", "x"), ("b", "small", "x"))
    takes = {"big": 4.0, "small": 1.0}
    chosen = [slots.choose(lambda size: 1, lambda size, rows: takes[size])[0] for _ in range(10)]
    assert chosen == ["a", *"bbbb", "a", *"bbbb"]


def test_a_new_size_has_no_claim_to_what_others_have_had() -> None:
    slots = filled(("a", "small", "x"))
    passes(slots, 5)
    slots.add("b", "large", "x")
    assert passes(slots, 4) == [["a"], ["b"], ["a"], ["b"]]


@pytest.mark.parametrize("gone", ["a", "b", "c"])
def test_a_discarded_row_is_chosen_no_more(gone: str) -> None:
    slots = filled(("a", "small", "x"), ("b", "small", "x"), ("c", "large", "y"))
    passes(slots, 1, limit=1)  # a has begun
    slots.discard(gone)
    slots.discard(gone)
    assert gone not in [row for chosen in passes(slots, 4) for row in chosen]
    assert sorted(slots) == sorted({"a", "b", "c"} - {gone}) and len(slots) == 2


Arrival = tuple[int, int, int, int]  # before which pass, size, whose, steps
ARRIVALS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 3), st.integers(0, 3), st.integers(1, 8)),
    max_size=25,
)


@settings(deadline=None)
@given(ARRIVALS, st.integers(1, 6))
def test_a_service_serves_every_row_fairly(arrivals: list[Arrival], limit: int) -> None:
    slots: Slots[int, int] = Slots()
    left = {row: steps for row, (*_, steps) in enumerate(arrivals)}
    begun: list[int] = []
    since: Counter[int] = Counter()  # passes of other sizes since a size had its turn
    at = 0
    while any(left.values()):
        for row, (when, size, turn, _) in enumerate(arrivals):
            if when == at:
                slots.add(row, size, turn)
        sizes_here = {arrivals[row][1] for row in slots}
        under_way = [row for row in begun if left[row]]
        chosen = list(slots.choose(lambda size: limit))
        assert bool(chosen) == bool(sizes_here) and len(chosen) <= limit
        assert len({arrivals[row][1] for row in chosen}) <= 1
        at += 1
        if not chosen:
            continue
        mine = arrivals[chosen[0]][1]
        for size in sizes_here:
            since[size] = 0 if size == mine else since[size] + 1
        assert max(since.values()) <= 3, "a size waited for more passes than there are others"
        # Whoever has begun is there, or there is no room left.
        assert {row for row in under_way if arrivals[row][1] == mine} <= {*chosen}
        begun += [row for row in chosen if row not in begun]
        waiting = [row for row in slots if row not in begun and arrivals[row][1] == mine]
        assert len(chosen) == limit or not waiting
        for row in chosen:
            assert left[row] > 0
            left[row] -= 1
            if not left[row]:
                slots.discard(row)
    for turn in range(4):  # the rows of one, of one size, begin in their order
        for size in range(4):
            own = [row for row in begun if arrivals[row][1:3] == (size, turn)]
            assert own == sorted(own, key=lambda row: (arrivals[row][0], row))
    assert len(slots) == 0
