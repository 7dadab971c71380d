"""What a compiler at work leaves alone."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor, nn
from torch.fx import symbolic_trace

from engine.compiling import aside


@pytest.fixture
def layer() -> nn.Module:
    return nn.Linear(3, 2)


def test_modules_of_other_threads_are_called_as_ever(layer: nn.Module) -> None:
    given = torch.ones(1, 3)
    seen: list[Tensor] = []

    def traced(pictures: Tensor) -> Tensor:
        with ThreadPoolExecutor(1) as other:
            seen.append(other.submit(layer, given).result())
        return pictures

    with aside():
        symbolic_trace(traced)
    assert torch.equal(seen[0], layer(given))


def test_this_thread_traces_modules_as_ever(layer: nn.Module) -> None:
    whole = nn.Sequential(layer, nn.ReLU())
    with aside():
        graph = symbolic_trace(whole).graph
    assert [node.op for node in graph.nodes] == [
        "placeholder",
        "call_module",
        "call_module",
        "output",
    ]


def test_a_failure_leaves_tracing_as_it_was(layer: nn.Module) -> None:
    before = nn.Module.__call__
    with pytest.raises(ZeroDivisionError), aside():
        symbolic_trace(lambda pictures: 1 / 0)
    assert nn.Module.__call__ is before
    assert symbolic_trace(nn.Sequential(layer)).graph.nodes
