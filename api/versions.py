"""Other versions of what was made: a scene drawn anew, other times or another order, a replay."""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.body_limits import PICTURE_BYTES
from api.errors import documented
from api.submission import (
    ACCEPTED_LATER,
    FindJob,
    IdempotencyKey,
    SceneNumber,
    accepted,
    submit,
)
from engine import Engine, Job, VideoRequest, errors
from engine.requests import (
    SCENES_MAX,
    SCENES_MIN,
    SEED_MAX,
    CaptionsKind,
    DurationPerScene,
    Fps,
    MotionKind,
    SceneDurations,
    Seed,
    SpokenText,
    TransitionFrames,
    TransitionKind,
)
from engine.versions import assembled, redrawn, replayed

_RESPONSES: dict[int | str, dict[str, Any]] = {
    **ACCEPTED_LATER,
    **documented(400, 404, 409, 422, 500, 503, 504, 507),
}


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class RedrawBody(_Body):
    """What changes in one scene. With neither, it is drawn with another seed."""

    text: Annotated[
        SpokenText | None, Field(description="What happens in the scene now; null: as before.")
    ] = None
    seed: Seed = None


class AssembleBody(_Body):
    """What changes in the video; what is null stays as it was."""

    duration_per_scene: DurationPerScene | None = None
    fps: Fps | None = None
    scene_durations: SceneDurations = None
    transition_frames: TransitionFrames | None = None
    transition: TransitionKind | None = None
    motion: MotionKind | None = None
    captions: CaptionsKind | None = None
    order: Annotated[
        list[Annotated[int, Field(ge=1, le=SCENES_MAX)]] | None,
        Field(
            min_length=SCENES_MIN,
            max_length=SCENES_MAX,
            description="Numbers of scenes, from 1; one may be left out, or come twice.",
        ),
    ] = None


def add_versions(router: APIRouter, engine: Engine, find_job: FindJob) -> None:
    """Add the routes that make a new job from one that was made."""

    def take(request: Request, version: Any, key: str | None, *, reuse: bool) -> Response:
        job = submit(engine, request, version, reuse=reuse, idempotency_key=key)
        return accepted(job, request)

    @router.post(
        "/jobs/{job_id}/scenes/{number}/redraw",
        status_code=202,
        summary="Draw one scene anew",
        max_body_size=PICTURE_BYTES,
        responses=_RESPONSES,
    )
    def redraw_scene(
        request: Request,
        job: Annotated[Job, Depends(find_job)],
        number: SceneNumber,
        body: RedrawBody,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """A new job: the story with this scene drawn anew; the other pictures are kept."""
        seed = body.seed
        if seed is None and body.text is None:
            seed = secrets.randbelow(SEED_MAX + 1)
        version = redrawn(_story(job), job.seed, number, text=body.text, new_seed=seed)
        return take(request, version, idempotency_key, reuse=True)

    @router.post(
        "/jobs/{job_id}/assemble",
        status_code=202,
        summary="Assemble a story anew",
        responses=_RESPONSES,
    )
    def assemble_story(
        request: Request,
        job: Annotated[Job, Depends(find_job)],
        body: AssembleBody,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """A new job: the same pictures with other times, or in another order.

        Of a story that failed or was cancelled, it draws the pictures that are missing.
        """
        version = assembled(_story(job), job.seed, **body.model_dump(exclude_none=True))
        return take(request, version, idempotency_key, reuse=True)

    @router.post(
        "/jobs/{job_id}/replay", status_code=202, summary="Make it again", responses=_RESPONSES
    )
    def replay(
        request: Request,
        job: Annotated[Job, Depends(find_job)],
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """A new job that makes the same again, with everything that was left open then."""
        version = replayed(job.request, job.seed, job.result().guidance_scale)
        return take(request, version, idempotency_key, reuse=False)


def _story(job: Job) -> VideoRequest:
    if not isinstance(job.request, VideoRequest):
        raise errors.InvalidRequest("This job is no story.", advice="Take a job of kind video.")
    return job.request
