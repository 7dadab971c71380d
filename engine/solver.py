"""DPM-Solver++ 2M as tables: every step of a walk is linear in what it is given.

Lu et al. 2022, arXiv:2211.01095. The numbers are read off diffusers' own scheduler, by giving it
unit vectors; so its rules for spacing, sigmas, first and last steps are not written down again,
and rows at different steps of different walks can be taken forward by one expression.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import DPMSolverMultistepScheduler
from torch import Tensor

from engine.errors import ModelUnavailable


@dataclass(frozen=True)
class Walk:
    """The way from noise to a picture in so many steps.

    Attributes:
        timesteps: int64 (steps,), as the U-Net is told them.
        coefficients: float32 (steps, 5): p, q, a, b, c of `Solver.step`.
        noise_scale: the standard deviation of the latents at the start.
    """

    timesteps: Tensor
    coefficients: Tensor
    noise_scale: float

    def __len__(self) -> int:
        return len(self.timesteps)


class Solver:
    """Plans the walks of one model, and takes steps of them."""

    def __init__(self, config: Mapping[str, Any], device: torch.device | str = "cpu") -> None:
        """Read a scheduler's config, of whatever class; the tables will be on `device`.

        Raises:
            ModelUnavailable: its steps are not linear, so that there is no table of them.
        """
        self._config = config
        self._device = device
        self._walks: dict[int, Walk] = {}
        settings = self._scheduler().config
        learns = str(settings.variance_type).startswith("learned")  # others are for training
        for name, asked in (("thresholding", settings.thresholding), ("variance_type", learns)):
            if asked:
                raise ModelUnavailable(
                    f"The model's scheduler asks for {name}, which is not supported.",
                    advice=f"Remove {name} from its scheduler_config.json, or use another model.",
                )

    def walk(self, steps: int) -> Walk:
        """The walk of so many steps; each is planned once."""
        if steps not in self._walks:
            self._walks[steps] = self._plan(steps)
        return self._walks[steps]

    @staticmethod
    def step(
        latents: Tensor, output: Tensor, clean_before: Tensor, coefficients: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Take each row one step along its own walk.

        Args:
            latents: float32 (rows, channels, height, width), as are `output` of the U-Net, guided,
                and `clean_before`; zeros where a row has taken no step.
            coefficients: float32 (rows, 5), from each row's walk at its step.

        Returns:
            The next latents, and those that the model expects at the end (`clean`).
        """
        p, q, a, b, c = coefficients[..., None, None, None].unbind(1)
        clean = p * latents + q * output
        return a * latents + b * clean + c * clean_before, clean

    def _plan(self, steps: int) -> Walk:
        expecting, moving = self._scheduler(), self._scheduler(prediction_type="sample")
        for scheduler in (expecting, moving):
            scheduler.set_timesteps(steps)
            scheduler.set_begin_index(0)
        latents, given, before = torch.eye(3)
        coefficients: list[Tensor] = []
        for timestep in moving.timesteps:
            expecting.step(given, timestep, latents)
            p, q, _ = expecting.model_outputs[-1]
            if coefficients:
                moving.model_outputs[-1] = before
            moved = moving.step(given, timestep, latents).prev_sample
            coefficients.append(torch.stack([p, q, *moved]))
        return Walk(
            moving.timesteps.to(self._device),
            torch.stack(coefficients).to(self._device),
            float(moving.init_noise_sigma),
        )

    def _scheduler(self, **changes: Any) -> Any:
        return DPMSolverMultistepScheduler.from_config(
            self._config,
            algorithm_type="dpmsolver++",  # others draw noise of their own
            solver_order=min(2, self._config.get("solver_order", 2)),  # a third remembers more
            **changes,
        )


def solver_name(config: Mapping[str, Any]) -> str:
    """Name the solver and its kind of prediction, for recipes."""
    return f"DPM++ 2M ({config.get('prediction_type', 'epsilon')})"
