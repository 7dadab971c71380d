import logging
import threading

import pytest

from engine.timer import Timer


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
