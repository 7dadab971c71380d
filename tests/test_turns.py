"""Turns: in the order of asking, whoever has just had one."""

import threading
import time

import pytest

from engine.turns import Turns
from tests.work import until


def test_turns_come_in_the_order_of_asking() -> None:
    turns, order, asked = Turns(), list[int](), list[threading.Thread]()

    def take(number: int) -> None:
        with turns.take():
            order.append(number)

    with turns.take():
        for number in range(8):
            asked.append(threading.Thread(target=take, args=[number]))
            asked[-1].start()
            until(lambda number=number: len(turns._line) == number + 2)
        assert order == []
    for thread in asked:
        thread.join(10)
    assert order == list(range(8))


def test_only_one_has_a_turn() -> None:
    turns, at_once, most = Turns(), 0, list[int]()

    def take() -> None:
        nonlocal at_once
        for _ in range(50):
            with turns.take():
                at_once += 1
                most.append(at_once)
                time.sleep(0)
                at_once -= 1

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(most) == 200 and max(most) == 1


def test_who_always_wants_the_next_turn_lets_others_in() -> None:
    turns, had, over = Turns(), threading.Event(), threading.Event()

    def hog() -> None:
        while not over.is_set():
            with turns.take():
                had.set()
                time.sleep(0.001)

    thread = threading.Thread(target=hog)
    thread.start()
    assert had.wait(10)
    for _ in range(20):
        with turns.take():
            pass
    over.set()
    thread.join(10)
    assert not thread.is_alive()


def test_a_wait_can_be_ended_and_is_forgotten() -> None:
    turns, looked = Turns(), list[int]()

    def look() -> None:
        looked.append(1)
        if len(looked) == 3:
            raise KeyError("enough")

    with turns.take():
        with pytest.raises(KeyError), turns.take(look):
            raise AssertionError("two at once")
        assert len(looked) == 3
    with turns.take():
        pass
    assert not turns._line


def test_what_fails_in_its_turn_gives_it_back() -> None:
    turns = Turns()
    with pytest.raises(KeyError), turns.take():
        raise KeyError
    with turns.take(lambda: pytest.fail("it had to wait")):
        pass
