"""The optimizer of U-Net and text encoder: Muon for matrices and convolutions, AdamW for the rest.

Muon (Jordan et al. 2024) replaces each momentum by its nearest orthogonal matrix, so that every
direction of a layer learns at the same pace; the scale that makes its steps as large as AdamW's
is Liu et al. 2025.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from training.checkpoint import StageClock
from training.presets import Budget

MOMENTUM = 0.95
WEIGHT_DECAY = 0.01
ROUNDS = 4
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
SCALE = 0.2


def orthogonalize(matrices: Tensor) -> Tensor:
    """Return about U V^T of each matrix U S V^T, by Newton-Schulz rounds in bf16."""
    a, b, c = COEFFICIENTS
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = (matrices.mT if tall else matrices).bfloat16()
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(ROUNDS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.mT if tall else x).float()


class Muon(torch.optim.Optimizer):
    """Momentum, made orthogonal; a convolution counts as the matrix (out, in x height x width)."""

    def __init__(self, parameters: Iterable[nn.Parameter]) -> None:
        super().__init__(parameters, {"lr": 0.0})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """Take one step at each group's rate; layers of one shape take it together."""
        for group in self.param_groups:
            alike = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    alike[parameter.shape].append(parameter)
            for parameters in alike.values():
                self._step_together(parameters, group["lr"])

    def _step_together(self, parameters: list[nn.Parameter], rate: float) -> None:
        gradients: Any = [parameter.grad for parameter in parameters]
        momenta = [self._momentum_of(parameter) for parameter in parameters]
        torch._foreach_lerp_(momenta, gradients, 1 - MOMENTUM)
        flat = torch.stack(torch._foreach_lerp(gradients, momenta, MOMENTUM)).flatten(2)
        updates = orthogonalize(flat).view(len(parameters), *parameters[0].shape)
        torch._foreach_mul_(parameters, 1 - rate * WEIGHT_DECAY)
        scale = SCALE * max(flat.shape[1:]) ** 0.5
        torch._foreach_add_(parameters, updates.unbind(), alpha=-rate * scale)

    def _momentum_of(self, parameter: nn.Parameter) -> Tensor:
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        momentum: Tensor = state["momentum"]
        return momentum


OUTER = ("conv_in.", "conv_out.", "embeddings.", "queries", "heads.")


class Optimizers:
    """Muon for hidden layers; AdamW for biases, norms and the OUTER layers at either end."""

    def __init__(self, network: nn.Module) -> None:
        hidden, rest = [], []
        for name, parameter in network.named_parameters():
            outer = parameter.ndim < 2 or any(part in name for part in OUTER)
            (rest if outer else hidden).append(parameter)
        adam = torch.optim.AdamW(rest, lr=0.0, betas=(0.9, 0.99), weight_decay=WEIGHT_DECAY)
        self._both: tuple[torch.optim.Optimizer, ...] = (Muon(hidden), adam)

    def step(self, learning_rate: float) -> None:
        """Take one step with every parameter at that rate."""
        for optimizer in self._both:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate
            optimizer.step()

    def state_dict(self) -> list[dict[str, Any]]:
        """Return what a checkpoint keeps."""
        return [optimizer.state_dict() for optimizer in self._both]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        """Go on from a checkpoint."""
        for optimizer, state in zip(self._both, states, strict=True):
            optimizer.load_state_dict(state)


def resume(budget: Budget, saved: Mapping[str, Any], optimizers: Optimizers) -> StageClock:
    """Go on from a stage's checkpoint; one without optimizers warms up afresh."""
    if "optimizers" in saved:
        optimizers.load_state_dict(saved["optimizers"])
        return StageClock(budget, saved["step"], saved["spent_s"])
    return StageClock(budget, saved["step"], saved["spent_s"], warm_from=saved["step"])
