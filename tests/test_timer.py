import logging
import threading

import pytest

from engine.timer import Later, Timer


def test_calls_come_in_the_order_of_their_times() -> None:
    timer, called, last = Timer(), [], threading.Event()
    timer.after(0.06, last.set)
    timer.after(0.04, lambda: called.append("second"))
    timer.after(0.0, lambda: called.append("first"))
    assert last.wait(10)
    timer.close()
    assert called == ["first", "second"]


def test_a_fault_is_logged_and_the_next_call_comes(caplog: pytest.LogCaptureFixture) -> None:
    timer, called = Timer(), threading.Event()
    with caplog.at_level(logging.ERROR):
        timer.after(0.0, lambda: 1 / 0)  # type: ignore[arg-type, return-value]
        timer.after(0.01, called.set)
        assert called.wait(10)
    timer.close()
    assert "ZeroDivisionError" in caplog.text


def test_closing_leaves_no_thread_and_calls_nothing_more(
    threads_before: set[threading.Thread],
) -> None:
    timer, called = Timer(), []
    timer.close()
    timer.after(0.0, lambda: called.append("after the end"))
    timer = Timer()
    timer.after(3600, lambda: called.append("in an hour"))
    timer.close()
    timer.close()
    assert called == [] and set(threading.enumerate()) - threads_before == set()


def test_later_is_called_once_for_all_who_asked_and_again_for_those_who_ask_then() -> None:
    timer, calls, called = Timer(), [0], threading.Semaphore(0)

    def call() -> None:
        calls[0] += 1
        called.release()

    later = Later(timer, call, wait_s=0.05)
    for expected in (1, 2):
        for _ in range(10):
            later.ask()
        assert called.acquire(timeout=10)
        assert calls[0] == expected
    timer.close()


def test_later_asked_within_the_call_is_called_again() -> None:
    timer, twice = Timer(), threading.Event()
    calls = []

    def call() -> None:
        calls.append(1)
        if len(calls) == 2:
            twice.set()
        else:
            later.ask()

    later = Later(timer, call, wait_s=0.0)
    later.ask()
    assert twice.wait(10)
    timer.close()
