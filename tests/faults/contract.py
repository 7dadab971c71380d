"""What Schemathesis is told beyond the OpenAPI document; loaded by it, see contract.toml.

It is told what no schema can say (rules across fields), and kept from asking for hours of work:
what would be accepted is sent as the smallest request of its kind.
"""

import random
from typing import Any

import schemathesis
from pydantic import BaseModel, ValidationError

from api.answers import GenerateBody
from api.job_answers import ImageJobBody, VideoJobBody
from engine import VideoRequest

_BODIES: dict[str, type[BaseModel]] = {
    "/generate": GenerateBody,
    "/generate-video": VideoRequest,
    "/generate-video/info": VideoRequest,
    "/jobs/image": ImageJobBody,
    "/jobs/video": VideoJobBody,
}
_LIGHT: dict[str, Any] = {
    "width": 64,
    "height": 64,
    "num_inference_steps": 10,
    "duration_per_scene": 0.1,
    "fps": 10,
    "transition_frames": 1,
}
_chance = random.Random(1)
_jobs: list[str] = []
"""The jobs that were made: half of what is asked of a job is asked of one of these."""


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: Any) -> None:
    """Name jobs that are there, and make light work of a body that is fine in every field."""
    positive = case.meta is not None and case.meta.generation.mode.is_positive
    if "{job_id}" in case.operation.path and positive and _jobs and _chance.random() < 0.5:
        case.path_parameters["job_id"] = _chance.choice(_jobs[-9:])
    body_type = _BODIES.get(case.operation.path)
    if body_type is None or case.method != "POST" or not isinstance(case.body, dict):
        return
    body = _without_fractions(case.body)
    if _is_fine(body_type, body):
        case.body = _light(body_type, body)


@schemathesis.hook
def after_call(
    context: schemathesis.HookContext, case: schemathesis.Case, response: schemathesis.Response
) -> None:
    """Remember the jobs that are made."""
    if response.status_code == 202:
        _jobs.append(response.json()["id"])


def _without_fractions(value: Any) -> Any:
    """Write 25.0 as 25: to a schema both are whole numbers, to the service only the second."""
    if isinstance(value, dict):
        return {name: _without_fractions(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_without_fractions(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_fine(body_type: type[BaseModel], body: dict[str, Any]) -> bool:
    try:
        body_type.model_validate(body)
    except ValidationError as err:
        return not any(error["loc"] for error in err.errors())
    return True


def _light(body_type: type[BaseModel], body: dict[str, Any]) -> dict[str, Any]:
    light = {name: value for name, value in _LIGHT.items() if name in body_type.model_fields}
    if "scenes" in body:
        light["scenes"] = body["scenes"][:2]
        light["scene_seeds"] = light["scene_durations"] = None
    if "deadline_s" in body:
        light["deadline_s"] = None  # a job that fails in time would answer 504, as it should
    return {**body, **light}
