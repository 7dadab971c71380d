"""What the documented routes take and answer beyond the engine's own requests and plans."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from api.errors import ErrorBody
from engine import Engine, ImageRequest


class GenerateBody(ImageRequest):
    """An image request, and the form of its answer."""

    return_base64: Annotated[
        bool, Field(description="Answer JSON with the picture inside instead of a file.")
    ] = False

    def image_request(self) -> ImageRequest:
        return ImageRequest.model_construct(**self.model_dump(exclude={"return_base64"}))


class Base64Image(BaseModel):
    """A picture inside JSON."""

    success: Literal[True] = True
    prompt: str
    steps: int
    image_base64: str
    format: Literal["png", "webp", "jpeg"]
    seed: int
    guidance_scale: float


class Endpoints(BaseModel):
    generate_image: Literal["/generate"] = "/generate"
    generate_video: Literal["/generate-video"] = "/generate-video"
    video_info: Literal["/generate-video/info"] = "/generate-video/info"


class ServiceInfo(BaseModel):
    """What this service is."""

    status: Literal["running"] = "running"
    device: str = Field(examples=["cpu"])
    model: str | None = Field(description="What is really loaded; null while nothing is.")
    endpoints: Endpoints = Endpoints()


class DownloadInfo(BaseModel):
    """Weights on their way from the hub."""

    repo_id: str
    done_bytes: int
    total_bytes: int
    note: str


class ProgramsInfo(BaseModel):
    """How far the model is compiled for the sizes and numbers of pictures that are asked for."""

    ready: int = Field(description="Sizes in use that are as fast as they get.")
    pending: int = Field(
        description="Sizes in use that are not compiled yet: they work, but slower."
    )


class BriefHealth(BaseModel):
    """How the service is; 200 while the process lives."""

    status: Literal["healthy"] = "healthy"
    model_loaded: bool
    device: str = Field(examples=["cpu"], description='"pending" until it is known.')


class Health(BriefHealth):
    """How the service is, with everything that operators want to know."""

    model: str | None
    model_state: Literal["loading", "ready", "unavailable"]
    dtype: str | None
    reason: str | None = Field(description="Why this model was taken.")
    decoder: str | None = Field(description="What decodes in place of the model's own decoder.")
    problem: ErrorBody | None = Field(description="Why there is no model, and the remedy.")
    download: DownloadInfo | None
    waiting_tasks: int = Field(description="Pictures waiting to be drawn.")
    programs: ProgramsInfo | None = Field(
        description="On CUDA, what is compiled: full speed is reached when none is pending. "
        "Null where the model runs as it is."
    )


class Ready(BaseModel):
    status: Literal["ready"] = "ready"


def health_of(engine: Engine) -> Health:
    """The health of an engine."""
    status = engine.status()
    facts, problem, download = status.facts, status.problem, status.download
    programs = status.programs
    return Health(
        model_loaded=facts is not None,
        device=status.device,
        model=facts and facts.name,
        model_state=status.model_state,
        dtype=facts and facts.dtype,
        reason=facts and facts.reason,
        decoder=facts and facts.decoder,
        problem=problem
        and ErrorBody(code=problem.code, detail=problem.message, advice=problem.advice),
        download=download
        and DownloadInfo(
            repo_id=download.repo_id,
            done_bytes=download.done,
            total_bytes=download.total,
            note=download.note,
        ),
        waiting_tasks=status.waiting_tasks,
        programs=programs and ProgramsInfo(ready=programs.ready, pending=programs.pending),
    )
