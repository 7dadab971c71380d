"""What the job routes take and answer."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from fastapi import Request
from pydantic import BaseModel, Field

from api.errors import ErrorBody
from engine import ImageRequest, Job, JobSnapshot, JobState, KeptScene, Preview, VideoRequest

Kind = Literal["image", "video"]
DeadlineS = Annotated[
    float | None,
    Field(
        gt=0,
        le=7 * 24 * 3600,
        allow_inf_nan=False,
        description="Fail the job with `deadline_passed` if it has not ended so many seconds "
        "after it was accepted. null: it may take as long as it takes.",
    ),
]


class ImageJobBody(ImageRequest):
    """An image request, and how long it may take."""

    deadline_s: DeadlineS = None

    def request(self) -> ImageRequest:
        return ImageRequest.model_construct(**self.model_dump(exclude={"deadline_s"}))

    def terms(self) -> dict[str, Any]:
        return {"deadline_s": self.deadline_s}


class VideoJobBody(VideoRequest):
    """A story request, how long it may take, and whether pictures that are there will do."""

    deadline_s: DeadlineS = None
    reuse: Annotated[
        bool,
        Field(
            description="Take scenes as they are of which you have the very picture already: "
            "same prompt, seed, size and settings, from another story or a PNG of `/jobs/image`."
        ),
    ] = False

    def request(self) -> VideoRequest:
        return VideoRequest.model_construct(**self.model_dump(exclude={"deadline_s", "reuse"}))

    def terms(self) -> dict[str, Any]:
        return {"deadline_s": self.deadline_s, "reuse": self.reuse}


class JobLinks(BaseModel):
    """Where to go on from a job; paths on this server."""

    self: str
    events: str
    result: str | None = Field(description="The file; null until the job has succeeded.")
    scenes: str | None = Field(description="The finished scenes of a story; null for an image.")


class JobSummary(BaseModel):
    """Where a job stands."""

    id: str
    kind: Kind
    state: JobState
    stage: Literal["waiting", "denoising", "decoding", "encoding", "done"]
    scene: int = Field(description="The picture being drawn, from 1; 0 before the first.")
    scenes: int = Field(description="How many pictures the job draws.")
    step: int
    steps: int
    frame: int = Field(description="Frames of the video that are written.")
    frames: int
    eta_s: float | None = Field(description="Seconds until it ends, the queue ahead included.")
    queue_position: int | None = Field(description="0 is next; null once it runs.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    links: JobLinks

    @classmethod
    def of(cls, snapshot: JobSnapshot, base: str, **more: object) -> Self:
        """Say it of a snapshot.

        Args:
            base: What stands before this server's paths.
        """
        progress, path = snapshot.progress, f"{base}/jobs/{snapshot.id}"
        succeeded = snapshot.state is JobState.SUCCEEDED
        links = JobLinks(
            self=path,
            events=f"{path}/events",
            result=f"{path}/result" if succeeded else None,
            scenes=f"{path}/scenes" if snapshot.kind == "video" else None,
        )
        return cls.model_validate(
            {
                **vars(progress),
                "id": snapshot.id,
                "kind": snapshot.kind,
                "state": snapshot.state,
                "eta_s": None if progress.eta_s is None else round(progress.eta_s, 1),
                "queue_position": snapshot.queue_position,
                "created_at": _moment(snapshot.created_at),
                "started_at": _moment(snapshot.started_at),
                "finished_at": _moment(snapshot.finished_at),
                "links": links,
                **more,
            }
        )


class JobView(JobSummary):
    """Where a job stands, its seed, and why it failed if it did."""

    seed: int
    error: ErrorBody | None

    @classmethod
    def of_job(cls, job: Job, base: str) -> Self:
        """Say it of a job as it is now."""
        return cls.of(job.snapshot(), base, seed=job.seed, error=error_of(job))


class JobPage(BaseModel):
    """Jobs, newest first."""

    jobs: list[JobSummary]
    next: str | None = Field(description="The next page; null on the last one.")


class PreviewView(BaseModel):
    """What is being drawn, as it stands after a step."""

    scene: int
    step: int
    image: str = Field(description="A small JPEG, as a data URL.")

    @classmethod
    def of(cls, preview: Preview) -> Self:
        return cls(scene=preview.scene, step=preview.step, image=preview.data_url)


class SceneView(BaseModel):
    """One finished scene of a story."""

    number: int = Field(description="From 1.")
    prompt: str
    seed: int
    image: str = Field(description="Its picture, a PNG.")

    @classmethod
    def of(cls, scene: KeptScene, job_id: str, base: str) -> Self:
        image = f"{base}/jobs/{job_id}/scenes/{scene.number}"
        return cls(number=scene.number, prompt=scene.prompt, seed=scene.seed, image=image)


class SceneList(BaseModel):
    """The finished scenes of a story, in order."""

    scenes: list[SceneView]


def error_of(job: Job) -> ErrorBody | None:
    """Why a job has no result, in the form of every error."""
    error = job.error
    return error and ErrorBody(code=error.code, detail=error.message, advice=error.advice)


def base_of(request: Request) -> str:
    """What stands before this server's paths, for links: empty but behind a proxy's prefix."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
