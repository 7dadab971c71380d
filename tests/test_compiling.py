"""What a compiler at work leaves alone."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor, nn
from torch.fx import symbolic_trace
from torch.fx._symbolic_trace import _Patcher

from engine.compiling import aside


@pytest.fixture
def layer() -> nn.Module:
    return nn.Linear(3, 2)


def test_modules_of_other_threads_are_called_as_ever(layer: nn.Module) -> None:
    given = torch.ones(1, 3)
    seen: list[object] = []

    def traced(pictures: Tensor) -> Tensor:
        with ThreadPoolExecutor(1) as other:
            seen.append(other.submit(layer, given).result())
            seen.append(other.submit(getattr, layer, "weight").result())
        return pictures

    with aside():
        symbolic_trace(traced)
    assert isinstance(seen[0], Tensor) and torch.equal(seen[0], layer(given))
    assert seen[1] is layer.weight


def operations(whole: nn.Module) -> list[str]:
    return [node.op for node in symbolic_trace(whole).graph.nodes]


def test_this_thread_traces_modules_as_ever(layer: nn.Module) -> None:
    whole = nn.Sequential(layer, nn.ReLU())
    expected = ["placeholder", "call_module", "call_module", "output"]
    assert operations(whole) == expected
    with aside():
        assert operations(whole) == expected
        with ThreadPoolExecutor(1) as other:
            assert other.submit(operations, whole).result() == expected


def test_a_failure_leaves_tracing_as_it_was() -> None:
    before = nn.Module.__call__, nn.Module.__getattr__, _Patcher.patch_method
    with pytest.raises(ZeroDivisionError), aside():
        symbolic_trace(lambda pictures: 1 / 0)
    assert (nn.Module.__call__, nn.Module.__getattr__, _Patcher.patch_method) == before
