"""What can be told of a job at one moment: state, progress, terms, result. Immutable, no work."""

import time
import uuid
from base64 import b64encode
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

from engine.errors import EngineError
from engine.requests import ImageRequest, Request, VideoRequest


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        return self in {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}


Kind = Literal["image", "video"]
Stage = Literal["waiting", "denoising", "decoding", "encoding", "done"]


@dataclass(frozen=True)
class Progress:
    """Where a job stands. `scene` and `step` count from 1 once they begin, 0 before."""

    stage: Stage = "waiting"
    scene: int = 0
    scenes: int = 1
    step: int = 0
    steps: int = 0
    begun: tuple[int, ...] = ()
    """The scenes whose drawing has begun, whether it has ended or not."""
    at_once: int = 1
    """How many of them are being drawn together; `scene` is the first."""
    steps_beside: int = 0
    """Steps done of scenes after `scene`."""
    frame: int = 0
    frames: int = 0
    eta_s: float | None = None
    """Seconds until the job ends, the queue ahead included."""


@dataclass(frozen=True)
class Preview:
    """A small JPEG of the picture being drawn, as it stands after a step."""

    scene: int
    step: int
    jpeg: bytes

    @property
    def data_url(self) -> str:
        """The picture as an address that holds it."""
        return f"data:image/jpeg;base64,{b64encode(self.jpeg).decode()}"


@dataclass(frozen=True)
class ImageResult:
    """A finished picture: its file, and everything needed to make it again."""

    path: Path
    media_type: str
    seed: int
    guidance_scale: float
    parameters: str
    """The recipe as text, as it also stands in the file."""


@dataclass(frozen=True)
class VideoResult:
    """A finished story video, its poster frame and its stills."""

    path: Path
    poster: Path
    stills: tuple[Path, ...]
    seed: int
    guidance_scale: float
    scenes: int
    total_frames: int
    fps: int
    duration_s: float
    media_type: str = "video/mp4"


Result = ImageResult | VideoResult
Outcome = tuple[Result | None, EngineError | None]


@dataclass(frozen=True)
class Terms:
    """Who asked for a job, and on what terms."""

    owner: str | None = None
    """Who may see the job; None is the one local owner."""
    client: str | None = None
    """Whose turn it takes in the queue."""
    attended: bool = False
    """A caller waits for it: without that caller, after a restart, nobody wants it."""
    deadline_s: float | None = None
    """Seconds it may take from its acceptance to its end."""
    reuse: bool = False
    """Scenes of which the owner has the very picture already are not drawn again."""

    def keep_scenes(self, kind: Kind) -> bool:
        """Whether what a job of that kind has drawn is kept when it fails or is cancelled.

        Nobody would find the scenes of a call whose caller has gone.
        """
        return kind == "video" and not self.attended


@dataclass(frozen=True)
class JobSnapshot:
    """One moment of a job, consistent in itself. Times are seconds since the epoch."""

    id: str
    kind: Kind
    state: JobState
    progress: Progress
    queue_position: int | None
    """0 for the next to run; None once it runs."""
    created_at: float
    started_at: float | None
    finished_at: float | None
    version: int
    """Grows with every change."""


def new_snapshot(request: Request) -> JobSnapshot:
    """The first moment of a job: it waits."""
    return JobSnapshot(
        id=uuid.uuid4().hex,
        kind="image" if isinstance(request, ImageRequest) else "video",
        state=JobState.QUEUED,
        progress=Progress(scenes=len(request.scenes) if isinstance(request, VideoRequest) else 1),
        queue_position=None,
        created_at=time.time(),
        started_at=None,
        finished_at=None,
        version=0,
    )
