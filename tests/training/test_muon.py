"""The U-Net's optimizer: orthogonal steps, and the same path after a restart."""

import torch
from torch import nn

from training.muon import Muon, Optimizers, orthogonalize


def build_network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.SiLU(), nn.Flatten(), nn.Linear(8 * 36, 4))


def take_steps(network: nn.Module, optimizers: Optimizers, count: int) -> float:
    inputs = torch.randn(16, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    loss = torch.zeros(())
    for _ in range(count):
        loss = (network(inputs) - inputs.mean(dim=(2, 3)).sum(1, keepdim=True)).square().mean()
        network.zero_grad()
        loss.backward()
        optimizers.step(1e-2)
    return float(loss.detach())


def test_singular_values_become_alike() -> None:
    for shape in ((12, 30), (30, 12)):
        matrix = torch.randn(shape, generator=torch.Generator().manual_seed(2))
        values = torch.linalg.svdvals(orthogonalize(matrix))
        assert values.min() > 0.5
        assert values.max() < 1.4


def test_the_loss_falls() -> None:
    network = build_network()
    optimizers = Optimizers(network)
    first = take_steps(network, optimizers, 1)
    assert take_steps(network, optimizers, 60) < first / 10


def test_a_restart_goes_on_as_if_nothing_had_happened() -> None:
    whole, cut = build_network(), build_network()
    take_steps(whole, Optimizers(whole), 6)
    optimizers = Optimizers(cut)
    take_steps(cut, optimizers, 3)
    again = Optimizers(cut)
    again.load_state_dict(optimizers.state_dict())
    take_steps(cut, again, 3)
    for ours, theirs in zip(cut.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_layers_of_one_shape_step_as_each_would_alone() -> None:
    torch.manual_seed(3)
    starts = [torch.randn(size) for size in ((6, 4), (6, 4), (6, 4), (4, 6), (3, 2, 3, 3))]
    gradients = [torch.randn_like(start) * 10**number for number, start in enumerate(starts)]
    together = [nn.Parameter(start.clone()) for start in starts]
    alone = [nn.Parameter(start.clone()) for start in starts]
    for parameter, gradient in zip(together + alone, gradients + gradients, strict=True):
        parameter.grad = gradient
    for parameters in (together, *([one] for one in alone)):
        optimizer = Muon(parameters)
        optimizer.param_groups[0]["lr"] = 0.1
        for _ in range(2):
            optimizer.step()
    for ours, theirs in zip(together, alone, strict=True):
        torch.testing.assert_close(ours, theirs)
