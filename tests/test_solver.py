"""Walks against diffusers' own scheduler, step by step."""

from itertools import product
from typing import Any

import pytest
import torch
from diffusers import DDPMScheduler, DPMSolverMultistepScheduler, PNDMScheduler
from torch import Tensor

from engine.errors import ModelUnavailable
from engine.solver import Solver

KINDS: dict[str, dict[str, Any]] = {
    "epsilon": {"prediction_type": "epsilon"},
    "v_prediction": {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True},
    "sample": {"prediction_type": "sample"},
    "flow": {"prediction_type": "flow_prediction", "use_flow_sigmas": True, "flow_shift": 1.0},
    "flow with shift": {
        "prediction_type": "flow_prediction",
        "use_flow_sigmas": True,
        "flow_shift": 3.0,
    },
}
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def outputs(steps: int, seed: int = 0) -> Tensor:
    return torch.randn((steps, 1, 4, 6, 5), generator=torch.Generator().manual_seed(seed))


def reference(scheduler: Any, steps: int, seed: int = 0) -> tuple[list[Tensor], list[Tensor]]:
    """The latents and what is expected of them after every step of diffusers' own loop."""
    scheduler = DPMSolverMultistepScheduler.from_config(scheduler.config)
    scheduler.set_timesteps(steps)
    given = outputs(steps + 1, seed)
    latents, states, clean = given[-1] * scheduler.init_noise_sigma, [], []
    for timestep, output in zip(scheduler.timesteps, given, strict=False):
        latents = scheduler.step(output, timestep, latents).prev_sample
        states.append(latents)
        clean.append(scheduler.model_outputs[-1])
    return states, clean


def walked(scheduler: Any, steps: int, seed: int = 0) -> tuple[list[Tensor], list[Tensor]]:
    walk = Solver(scheduler.config).walk(steps)
    given = outputs(steps + 1, seed)
    latents, before, states, cleans = given[-1] * walk.noise_scale, torch.zeros(1), [], []
    for step in range(steps):
        table = walk.coefficients[step : step + 1]
        latents, before = Solver.step(latents, given[step], before, table)
        states.append(latents)
        cleans.append(before)
    return states, cleans


def assert_close(found: list[Tensor], expected: list[Tensor]) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert float((one - other).abs().max()) <= 3e-6 * max(1.0, float(other.abs().max()))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("spacing", ["linspace", "leading", "trailing"])
@pytest.mark.parametrize("solver_type", ["midpoint", "heun"])
def test_every_step_is_that_of_diffusers(kind: str, spacing: str, solver_type: str) -> None:
    options = {"timestep_spacing": spacing, "solver_type": solver_type, "steps_offset": 1}
    scheduler = DPMSolverMultistepScheduler(**BETAS, **KINDS[kind], **options)
    for steps in (10, 13, 14, 15, 25, 50):
        (states, cleans), (expected, clean) = walked(scheduler, steps), reference(scheduler, steps)
        assert_close(states, expected)
        assert_close(cleans, clean)


@pytest.mark.parametrize(
    "options",
    [
        {"solver_order": 1},
        {"euler_at_final": True},
        {"lower_order_final": False},
        {"final_sigmas_type": "sigma_min"},
        {"final_sigmas_type": "sigma_min", "lower_order_final": False},
        {"use_karras_sigmas": True},
        {"use_lu_lambdas": True},
        {"beta_schedule": "squaredcos_cap_v2", "lambda_min_clipped": -5.1},
    ],
    ids=str,
)
def test_what_a_config_asks_of_its_solver_is_heard(options: dict[str, Any]) -> None:
    scheduler = DPMSolverMultistepScheduler(**{**BETAS, **options})
    for steps in (10, 20):
        assert_close(walked(scheduler, steps)[0], reference(scheduler, steps)[0])


@pytest.mark.parametrize("kind", KINDS)
def test_the_timesteps_are_those_of_diffusers(kind: str) -> None:
    scheduler = DPMSolverMultistepScheduler(**BETAS, **KINDS[kind])
    for steps in range(10, 51):
        scheduler.set_timesteps(steps)
        walk = Solver(scheduler.config).walk(steps)
        assert torch.equal(walk.timesteps, scheduler.timesteps)
        assert len(walk) == steps and torch.isfinite(walk.coefficients).all()


def test_a_config_of_another_scheduler_gives_its_betas_and_spacing() -> None:
    scheduler = PNDMScheduler(**BETAS, skip_prk_steps=True, steps_offset=1)
    assert_close(walked(scheduler, 20)[0], reference(scheduler, 20)[0])


def test_a_scheduler_that_draws_noise_of_its_own_is_made_deterministic() -> None:
    noisy = DPMSolverMultistepScheduler(**BETAS, algorithm_type="sde-dpmsolver++")
    plain = DPMSolverMultistepScheduler(**BETAS)
    assert_close(walked(noisy, 12)[0], reference(plain, 12)[0])


def test_rows_of_different_walks_step_together_as_they_do_alone() -> None:
    solver = Solver(DPMSolverMultistepScheduler(**BETAS).config)
    at = list(product((10, 25, 50), (0, 1, 9)))
    given = torch.randn((3, len(at), 4, 3, 2), generator=torch.Generator().manual_seed(1))
    table = torch.stack([solver.walk(steps).coefficients[step] for steps, step in at])
    together = Solver.step(*given, table)
    for row in range(len(at)):
        alone = Solver.step(*given[:, row : row + 1], table[row : row + 1])
        for found, expected in zip(together, alone, strict=True):
            assert torch.equal(found[row], expected[0])


def test_a_walk_is_planned_once() -> None:
    solver = Solver(DPMSolverMultistepScheduler(**BETAS).config)
    assert solver.walk(10) is solver.walk(10) is not solver.walk(11)


def test_how_a_training_scheduler_draws_noise_does_not_matter() -> None:
    kept = DDPMScheduler(**BETAS, variance_type="fixed_small")
    assert len(Solver(kept.config).walk(10)) == 10


@pytest.mark.parametrize(("name", "value"), [("thresholding", True), ("variance_type", "learned")])
def test_what_no_table_can_hold_is_refused(name: str, value: Any) -> None:
    scheduler = DPMSolverMultistepScheduler(**BETAS, **{name: value})
    with pytest.raises(ModelUnavailable, match=name) as caught:
        Solver(scheduler.config)
    assert name in caught.value.advice
