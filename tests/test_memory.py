"""How many rows fit: measured where a device tells of its memory."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from engine import memory
from engine.memory import Room, machine_bytes, measure_room, needs_slicing

MB = 2**20
CUDA = torch.device("cuda")


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A card with 1000 MB free beside what torch holds, 100 MB of which are not in use."""
    card = SimpleNamespace(free=1000 * MB, reserved=300 * MB, used=200 * MB, peak=0, takes=0)

    def fits() -> None:
        if card.takes > card.free:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        card.peak = card.used + card.takes

    card.run = fits
    answers = {
        "synchronize": lambda device: None,
        "empty_cache": lambda: None,
        "memory_allocated": lambda device: card.used,
        "memory_reserved": lambda device: card.reserved,
        "reset_peak_memory_stats": lambda device: setattr(card, "peak", card.used),
        "max_memory_allocated": lambda device: card.peak,
        "mem_get_info": lambda device: (card.free, 10**12),
    }
    for name, answer in answers.items():
        monkeypatch.setattr(torch.cuda, name, answer)
    return card


@pytest.mark.parametrize(
    ("takes_mb", "pictures"), [(1, 16), (48, 16), (49, 8), (97, 4), (300, 2), (400, 1), (900, 1)]
)
def test_rows_are_bounded_by_what_one_pass_takes(
    card: SimpleNamespace, takes_mb: int, pictures: int
) -> None:
    card.takes = takes_mb * MB
    room = measure_room(CUDA, card.run, 2 * 64 * 64)
    assert room.most == memory.MOST_ROWS
    assert room.pictures(64 * 64) == pictures
    assert room.pictures(64 * 64) * takes_mb <= 1100 * 0.7 or pictures == 1


def test_a_larger_size_has_room_for_fewer(card: SimpleNamespace) -> None:
    card.takes = 40 * MB
    room = measure_room(CUDA, card.run, 2 * 64 * 64)
    sizes = [64 * 64 * scale for scale in (1, 2, 4, 8, 16, 100)]
    assert [room.pictures(cells) for cells in sizes] == [16, 8, 4, 2, 1, 1]
    assert room.rows(100 * 64 * 64) == 1


def test_where_not_even_one_fits_it_is_tried_alone(card: SimpleNamespace) -> None:
    card.takes = 2000 * MB
    assert measure_room(CUDA, card.run, 2 * 64 * 64).most == 1


def test_another_fault_is_not_taken_for_memory(card: SimpleNamespace) -> None:
    def fail() -> None:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        measure_room(CUDA, fail, 1)


@pytest.mark.parametrize("kind", ["cpu", "mps"])
def test_where_nothing_can_be_measured_pictures_go_one_at_a_time(kind: str) -> None:
    def never() -> None:
        raise AssertionError("nothing is run for nothing")

    room = measure_room(torch.device(kind), never, 1)
    assert (room.most, room.pictures(10**6), room.rows(10**6)) == (1, 1, 2)


def test_without_a_bound_of_cells_the_rows_alone_bound_it() -> None:
    room = Room(8)
    assert (room.pictures(10**9), room.rows(10**9)) == (8, 16)


def test_what_did_not_fit_is_tried_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(memory.time, "monotonic", lambda: now[0])
    room = Room(8)
    room.shrink(2, 100)
    now[0] += 59
    assert room.rows(100) == 2
    now[0] += 2
    assert room.rows(100) == 16


def test_what_fits_never_grows_by_shrinking() -> None:
    room = Room(8)
    room.shrink(2, 100)
    room.shrink(4, 100)
    assert room.rows(100) == 2


@pytest.mark.parametrize(
    ("kind", "gigabytes", "slices"),
    [("mps", 8, True), ("mps", 48, True), ("mps", 64, False), ("mps", 192, False),
     ("cuda", 8, False), ("cpu", 8, False)],
)  # fmt: skip
def test_attention_is_sliced_where_the_device_shares_little_memory(
    kind: str, gigabytes: int, slices: bool
) -> None:
    assert needs_slicing(torch.device(kind), gigabytes * 2**30) is slices


def test_the_memory_of_the_machine_is_more_than_a_process_takes() -> None:
    assert machine_bytes() > 2**29


@pytest.mark.parametrize(("told", "is_limit"), [("268435456\n", True), ("max\n", False)])
def test_a_container_has_the_memory_it_may_take(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str, is_limit: bool
) -> None:
    (tmp_path / "memory.max").write_text(told)
    limits = (tmp_path / "memory.max", tmp_path / "memory.limit_in_bytes")
    monkeypatch.setattr(memory, "_CONTAINER_LIMITS", limits)
    assert (machine_bytes() == 2**28) == is_limit
