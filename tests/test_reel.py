"""Scenes between the thread that draws them and the one that takes them."""

import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from engine.errors import JobCancelled, StorageFull
from engine.jobs import CancelToken
from engine.reel import DrawnScene, Reel


@pytest.fixture
def reel() -> Reel:
    recipes: Any = ["one", "two"]
    return Reel(recipes, CancelToken())


def test_a_scene_is_waited_for_until_its_file_is_there(reel: Reel) -> None:
    taken: list[Path] = []
    taker = threading.Thread(target=lambda: taken.append(reel.still(0)))
    taker.start()
    still: Future[Path] = Future()
    reel.add(DrawnScene(1.5, still))
    assert (reel.there, reel.is_full, reel.draw_s()) == (1, False, [1.5])
    taker.join(0.02)
    assert taker.is_alive()
    still.set_result(Path("one.png"))
    taker.join(10)
    assert taken == [Path("one.png")] and reel.waited_s > 0
    reel.add(DrawnScene(2.5, still))
    assert reel.is_full and reel.draw_s() == [1.5, 2.5]


def test_a_file_that_could_not_be_written_is_told(reel: Reel) -> None:
    still: Future[Path] = Future()
    still.set_exception(StorageFull("full"))
    reel.add(DrawnScene(1.0, still))
    with pytest.raises(StorageFull):
        reel.still(0)


@pytest.mark.parametrize("there", ["nothing", "a scene", "a scene whose file is given up"])
def test_nobody_waits_once_the_token_is_set(reel: Reel, there: str) -> None:
    still: Future[Path] = Future()
    if there != "nothing":
        reel.add(DrawnScene(1.0, still))
    errors: list[BaseException] = []

    def take() -> None:
        try:
            reel.still(0)
        except JobCancelled as err:
            errors.append(err)

    taker = threading.Thread(target=take)
    taker.start()
    reel.token.set(JobCancelled("stop"))
    if "given up" in there:
        still.cancel()
    taker.join(10)
    assert not taker.is_alive() and len(errors) == 1
