"""A stream: what workers draw takes the places of the oldest, and nobody waits for it."""

import dataclasses
import time
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from training.presets import PRESETS, Preset
from training.stream import CHUNK, Stream

PRESET = dataclasses.replace(PRESETS["smoke"], pictures=2 * CHUNK)


def draw_numbers(first: int) -> tuple[Tensor, Tensor]:
    """Pictures of one pixel and their numbers, both of which tell where the chunk began."""
    numbers = torch.arange(first, first + CHUNK)
    return (numbers % 251).to(torch.uint8).reshape(CHUNK, 1, 1, 1), numbers


def picked(stream: Stream) -> tuple[Tensor, Tensor]:
    pictures, numbers = stream.pick(4096, torch.Generator().manual_seed(0))
    return pictures, numbers


@pytest.fixture
def drawn_ahead() -> Iterator[Stream]:
    preset: Preset = dataclasses.replace(PRESET, workers=1)
    stream = Stream(preset, draw_numbers, PRESET.pictures)
    yield stream
    stream.close()


def test_rows_keep_what_belongs_together() -> None:
    stream = Stream(
        PRESET, draw_numbers, PRESET.pictures, keep=lambda pictures: pictures.float() * 2
    )
    stream.refresh()
    pictures, numbers = picked(stream)
    assert torch.equal(pictures.flatten(), (numbers % 251).float() * 2)
    assert set(numbers.tolist()) == set(range(2 * CHUNK))


def test_a_stream_begins_where_it_is_told() -> None:
    stream = Stream(PRESET, draw_numbers, PRESET.pictures, first=640)
    stream.refresh()
    assert int(picked(stream)[1].min()) == 640


def test_without_workers_nothing_is_drawn_while_learning() -> None:
    stream = Stream(PRESET, draw_numbers, PRESET.pictures)
    for _ in range(5):
        stream.refresh()
    assert int(picked(stream)[1].max()) == 2 * CHUNK - 1


def test_fresh_pictures_take_the_places_of_the_oldest(drawn_ahead: Stream) -> None:
    end = time.monotonic() + 60
    drawn_ahead.refresh()
    while int(picked(drawn_ahead)[1].max()) < 4 * CHUNK:
        assert time.monotonic() < end
        drawn_ahead.refresh()
    numbers = picked(drawn_ahead)[1]
    assert len(numbers.unique()) == 2 * CHUNK
    assert int(numbers.min()) >= 2 * CHUNK
