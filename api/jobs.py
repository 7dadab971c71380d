"""The job routes: submit, follow, cancel, fetch. A job goes on when its client leaves."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import FileResponse

from api.body_limits import BARE_BYTES, PICTURE_BYTES, STORY_BYTES
from api.errors import documented
from api.following import add_following
from api.job_answers import (
    ImageJobBody,
    JobPage,
    JobSummary,
    JobView,
    Kind,
    SceneList,
    SceneView,
    VideoJobBody,
    base_of,
)
from api.openapi import binary
from api.submission import (
    ACCEPTED_LATER,
    FindJob,
    IdempotencyKey,
    JobId,
    SceneNumber,
    accepted,
    owner_of,
    submit,
)
from api.versions import add_versions
from engine import Engine, ImageResult, Job, JobState, errors

_PAGE_MAX = 100
_ACCEPTED: dict[int | str, dict[str, Any]] = {
    **ACCEPTED_LATER,
    **documented(400, 409, 422, 503, 507),
}
_FETCH = documented(404, 409, 410, 422, 500, 503, 504, 507)


def build_job_router(engine: Engine) -> APIRouter:
    """The job routes of one engine."""
    router = APIRouter(tags=["jobs"], max_body_size=BARE_BYTES)

    async def find_job(request: Request, job_id: JobId) -> Job:
        """On the event loop where it can be: a thread costs more than all the rest of a poll."""
        owner = owner_of(request)
        job = engine.live_job(job_id, owner=owner)
        return job or await asyncio.to_thread(engine.job, job_id, owner=owner)

    _add_submission(router, engine)
    _add_listing(router, engine, find_job)
    add_following(router, find_job)
    _add_fetching(router, engine, find_job)
    add_versions(router, engine, find_job)
    return router


def _add_submission(router: APIRouter, engine: Engine) -> None:
    def take(request: Request, body: ImageJobBody | VideoJobBody, key: str | None) -> Response:
        job = submit(engine, request, body.request(), idempotency_key=key, **body.terms())
        return accepted(job, request)

    # On threads: the journal is synced to the disk before a job is told of.
    @router.post(
        "/jobs/image",
        status_code=202,
        summary="Submit an image",
        max_body_size=PICTURE_BYTES,
        responses=_ACCEPTED,
    )
    def submit_image(
        request: Request, body: ImageJobBody, idempotency_key: IdempotencyKey = None
    ) -> Response:
        """Accept an image and answer at once; follow its links."""
        return take(request, body, idempotency_key)

    @router.post(
        "/jobs/video",
        status_code=202,
        summary="Submit a story",
        max_body_size=STORY_BYTES,
        responses=_ACCEPTED,
    )
    def submit_video(
        request: Request, body: VideoJobBody, idempotency_key: IdempotencyKey = None
    ) -> Response:
        """Accept a story video and answer at once; follow its links."""
        return take(request, body, idempotency_key)


def _add_listing(router: APIRouter, engine: Engine, find_job: FindJob) -> None:
    @router.get("/jobs", summary="List jobs", responses=documented(404, 422))
    def list_jobs(
        request: Request,
        state: JobState | None = None,
        kind: Kind | None = None,
        limit: Annotated[int, Query(ge=1, le=_PAGE_MAX)] = 50,
        after: Annotated[
            str | None, Query(max_length=64, description="Go on after this job; see `next`.")
        ] = None,
    ) -> JobPage:
        """Jobs, newest first, a page at a time."""
        owner = owner_of(request)
        found = engine.jobs(owner=owner, state=state, kind=kind, limit=limit + 1, after=after)
        base, page = base_of(request), found[:limit]
        following = None
        if len(found) > limit:
            query = request.url.include_query_params(after=page[-1].id).query
            following = f"{base}/jobs?{query}"
        return JobPage(jobs=[JobSummary.of(snapshot, base) for snapshot in page], next=following)

    @router.get("/jobs/{job_id}", summary="Where a job stands", responses=documented(404, 422))
    async def show_job(request: Request, job: Annotated[Job, Depends(find_job)]) -> JobView:
        """Its state, progress, time left, and why it failed if it did."""
        return JobView.of_job(job, base_of(request))

    @router.delete("/jobs/{job_id}", summary="Cancel a job", responses=documented(404, 422))
    def cancel_job(request: Request, job: Annotated[Job, Depends(find_job)]) -> JobView:
        """Cancel it if it has not ended, and answer how it stands; again and again if you like.

        A running job ends within one denoising step. What a story has drawn is kept: `assemble`
        goes on with it.
        """
        job.cancel()
        return JobView.of_job(job, base_of(request))


def _add_fetching(router: APIRouter, engine: Engine, find_job: FindJob) -> None:
    @router.get(
        "/jobs/{job_id}/result",
        summary="Fetch a result",
        response_class=FileResponse,
        responses={
            200: {"content": binary("image/png", "image/webp", "image/jpeg", "video/mp4")},
            206: {"description": "The part that the Range header asks for."},
            416: {"description": "The Range header asks for what is not there; plain text."},
            **_FETCH,
        },
    )
    def fetch_result(job: Annotated[Job, Depends(find_job)]) -> FileResponse:
        """The picture or video; parts of it with a Range header."""
        result = engine.result(job)
        name = result.path.name if isinstance(result, ImageResult) else "video.mp4"
        return FileResponse(result.path, media_type=result.media_type, filename=name)

    @router.delete(
        "/jobs/{job_id}/result",
        status_code=204,
        summary="Delete a result",
        responses=documented(404, 409, 422, 503, 507),
    )
    def delete_result(request: Request, job_id: JobId) -> None:
        """Delete the files of an ended job for good, the scenes of a story too; repeat at will.

        The job itself is still listed; its result answers 410 from then on. What other jobs
        took over from it stays whole.
        """
        engine.gallery.remove(job_id, owner=owner_of(request))

    @router.get(
        "/jobs/{job_id}/scenes", summary="Scenes of a story", responses=documented(404, 410, 422)
    )
    def list_scenes(request: Request, job_id: JobId) -> SceneList:
        """The scenes that are drawn, in order, whether the story has ended or not."""
        base = base_of(request)
        scenes = engine.scenes(job_id, owner=owner_of(request))
        return SceneList(scenes=[SceneView.of(scene, job_id, base) for scene in scenes])

    @router.get(
        "/jobs/{job_id}/scenes/{number}",
        summary="Picture of a scene",
        response_class=FileResponse,
        responses={200: {"content": binary("image/png")}, **documented(404, 410, 422)},
    )
    def fetch_scene(request: Request, job_id: JobId, number: SceneNumber) -> FileResponse:
        """One drawn scene as a PNG, its recipe inside."""
        for scene in engine.scenes(job_id, owner=owner_of(request)):
            if scene.number == number:
                return FileResponse(scene.path, media_type="image/png", filename=scene.path.name)
        raise errors.JobNotFound("This scene is not drawn (yet).", advice="See the job's scenes.")
