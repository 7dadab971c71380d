import gc
import weakref

import pytest

from engine.errors import DeviceOutOfMemory, EngineError, QueueFull


class Tensor:
    """Stands for something large."""


def fail() -> tuple[EngineError, "weakref.ref[Tensor]"]:
    """Raise, chained, out of frames that hold a tensor; returns the error and the tensor."""
    tensor = Tensor()
    watch = weakref.ref(tensor)
    try:
        try:
            raise RuntimeError("CUDA out of memory")
        except RuntimeError as err:
            raise DeviceOutOfMemory("too large") from err
    except EngineError as err:
        return err, watch


def test_an_error_kept_without_frames_keeps_no_tensors() -> None:
    error, watch = fail()
    assert watch() is not None
    assert error.without_frames() is error
    gc.collect()
    assert watch() is None
    assert (error.__traceback__, error.__cause__, error.__context__) == (None, None, None)


def test_advice_may_be_given_with_the_error() -> None:
    assert EngineError("what").advice == ""
    assert EngineError("what", advice="do this").advice == "do this"
    assert DeviceOutOfMemory("what").advice


def test_a_full_queue_tells_when_to_come_back() -> None:
    with pytest.raises(QueueFull) as caught:
        raise QueueFull("full", retry_after_s=7)
    assert caught.value.retry_after_s == 7
