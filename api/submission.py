"""How a job is asked for and answered, whichever route it comes through."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Header, Path, Request
from fastapi.responses import JSONResponse

from api.job_answers import JobView, base_of
from api.openapi import header
from engine import Engine, ImageRequest, Job, VideoRequest
from engine.requests import SCENES_MAX

JobId = Annotated[str, Path(max_length=64, examples=["0b7c9a52f0d84c3e9d0c4a3b2f1e6d5c"])]
FindJob = Callable[[Request, str], Awaitable[Job]]
SceneNumber = Annotated[int, Path(ge=1, le=SCENES_MAX)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        description="The same key with the same request gives the same job, however often it is "
        "sent: for clients that repeat a call whose answer they did not get.",
    ),
]
Prefer = Annotated[
    str | None,
    Header(
        max_length=200,
        description="`respond-async`: answer 202 with a job at once instead of waiting for it.",
    ),
]
ACCEPTED_LATER: dict[int | str, dict[str, Any]] = {
    202: {
        "model": JobView,
        "description": "Accepted; the job tells how it stands.",
        "headers": {"Location": header("string", "The job's path.")},
    }
}


def submit(
    engine: Engine, request: Request, wanted: ImageRequest | VideoRequest, **terms: Any
) -> Job:
    """Submit what a call asks for, in the name and in the turn of who calls."""
    return engine.submit(wanted, owner=owner_of(request), client=client_of(request), **terms)


def accepted(job: Job, request: Request, *, preferred: bool = False) -> JSONResponse:
    """Answer a job that was just accepted; `preferred` where the client chose not to wait."""
    view = JobView.of_job(job, base_of(request))
    headers = {"Location": view.links.self}
    if preferred:
        headers["Preference-Applied"] = "respond-async"
    return JSONResponse(view.model_dump(mode="json"), 202, headers)


def client_of(request: Request) -> str | None:
    """Whose turn a request takes in the queue: its address."""
    return request.client.host if request.client else None


def owner_of(request: Request) -> str | None:
    """Whose jobs a request may see and make, as the door of the service told it."""
    owner: str | None = request.state.owner
    return owner
