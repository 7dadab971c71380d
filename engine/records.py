"""A job as it is written down: plain text and numbers, and back again.

File names are relative to the data folder, so that the folder can be moved.
"""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from engine.errors import EngineError, restored
from engine.jobs import Job
from engine.metadata import ImageRecipe
from engine.requests import ImageRequest, Request, VideoRequest
from engine.snapshots import (
    ImageResult,
    JobSnapshot,
    JobState,
    Progress,
    Result,
    Terms,
    VideoResult,
)

_PATHS = {"path", "poster"}


@dataclass(frozen=True)
class Record:
    """What is written down of one job."""

    request: Request
    seed: int
    terms: Terms
    snapshot: JobSnapshot
    attempts: int
    result: Result | None
    error: EngineError | None


@dataclass(frozen=True)
class Kept:
    """What retention needs to know of an ended job."""

    id: str
    bytes: int
    finished_at: float


@dataclass(frozen=True)
class KeptScene:
    """A finished scene of a story: its picture and how it was made. `number` counts from 1."""

    number: int
    recipe: ImageRecipe
    path: Path
    draw_s: float

    @property
    def prompt(self) -> str:
        return self.recipe.prompt

    @property
    def seed(self) -> int:
        return self.recipe.seed


def job_row(job: Job) -> dict[str, Any]:
    """The columns of a job that was just accepted."""
    snapshot = job.snapshot()
    return {
        "id": job.id,
        "kind": snapshot.kind,
        "request": job.request.model_dump_json(),
        "seed": job.seed,
        "state": snapshot.state.value,
        "created_at": snapshot.created_at,
        **asdict(job.terms),
    }


def read_record(row: dict[str, Any], data_dir: Path) -> Record:
    """Make a record from the columns of a job."""
    request_type = ImageRequest if row["kind"] == "image" else VideoRequest
    # Not validated again: it was when it was accepted, and bounds may have moved since.
    request: Request = request_type.model_construct(**json.loads(row["request"]))
    state = JobState(row["state"])
    done = state is JobState.SUCCEEDED
    scenes = len(request.scenes) if isinstance(request, VideoRequest) else 1
    snapshot = JobSnapshot(
        id=row["id"],
        kind=row["kind"],
        state=state,
        progress=Progress(
            stage="done" if done else "waiting", scenes=scenes, eta_s=0.0 if done else None
        ),
        queue_position=None,
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        version=0,
    )
    terms = {field.name: row[field.name] for field in fields(Terms)}
    flags = {name: bool(terms[name]) for name in ("attended", "reuse")}
    return Record(
        request=request,
        seed=row["seed"],
        terms=Terms(**{**terms, **flags}),
        snapshot=snapshot,
        attempts=row["attempts"],
        result=None if row["result"] is None else read_result(row["result"], data_dir),
        error=None if row["error"] is None else restored(**json.loads(row["error"])),
    )


def result_text(result: Result, data_dir: Path) -> str:
    """Write a result as JSON."""
    told = {
        name: relative(value, data_dir) if name in _PATHS else value
        for name, value in vars(result).items()
    }
    if isinstance(result, VideoResult):
        told["stills"] = [relative(still, data_dir) for still in result.stills]
    return json.dumps(told)


def read_result(text: str, data_dir: Path) -> Result:
    """Read what `result_text` wrote."""
    told = {
        name: data_dir / value if name in _PATHS else value
        for name, value in json.loads(text).items()
    }
    if "stills" not in told:
        return ImageResult(**told)
    return VideoResult(**{**told, "stills": tuple(data_dir / name for name in told["stills"])})


def error_text(error: EngineError) -> str:
    """Write an error as JSON."""
    return json.dumps({"code": error.code, "message": error.message, "advice": error.advice})


def relative(path: Path, data_dir: Path) -> str:
    """Name a file within the data folder; another file keeps its full name."""
    return (path.relative_to(data_dir) if path.is_relative_to(data_dir) else path).as_posix()
