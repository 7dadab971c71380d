"""The picture of each scene on the storyboard: not there, on its way, or drawn."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from engine import Engine, ImageRequest, Job, JobState, Preview
from engine.errors import JobNotFound, ResultGone
from engine.requests import ImageTask, image_task
from engine.story import plan_scenes
from ui.messages import explain_error
from ui.progress import track_html
from ui.storyboard import Source, Sources
from ui.visitors import find_job

State = Literal["empty", "waiting", "drawing", "drawn", "stopped"]


@dataclass(frozen=True)
class ScenePicture:
    """What is there of one scene."""

    state: State = "empty"
    task: ImageTask | None = None
    """What it was asked for; None where there is no picture and none comes."""
    path: Path | None = None
    preview: Preview | None = None
    """Of what is being drawn."""
    share: float = 0.0
    """How much of it is drawn, from 0 to 1."""
    why: str = ""
    """Why the last try gave none."""
    eta_s: float | None = None

    @property
    def comes(self) -> bool:
        return self.state in {"waiting", "drawing"}

    @property
    def seed(self) -> int | None:
        return None if self.task is None else self.task.seed


_EMPTY = ScenePicture()


def look_at_scenes(engine: Engine, ids: Iterable[int], sources: Sources) -> dict[int, ScenePicture]:
    """See how the current visitor's pictures stand, by the ids of their scenes.

    Those being drawn are then previewed.
    """
    jobs: dict[str, Job | None] = {}
    finished: dict[str, Mapping[int, Path]] = {}

    def see(source: Source | None) -> ScenePicture:
        if source is None:
            return _EMPTY
        if source.job_id not in jobs:
            job = jobs[source.job_id] = find_job(engine, source.job_id)
            finished[source.job_id] = {} if job is None else _finished(engine, job)
        if (job := jobs[source.job_id]) is None:  # removed
            return see(source.before)
        picture = _picture(job, source.number, finished[source.job_id])
        if picture.state not in {"empty", "stopped"} or source.before is None:
            return picture
        return replace(see(source.before), why=picture.why)

    return {id_: see(sources.get(id_)) for id_ in ids}


def _finished(engine: Engine, job: Job) -> dict[int, Path]:
    """The files of a job's finished scenes."""
    try:
        if not isinstance(job.request, ImageRequest):
            return {scene.number: scene.path for scene in engine.scenes(job.id, owner=job.owner)}
        return {1: engine.result(job).path} if job.state is JobState.SUCCEEDED else {}
    except (ResultGone, JobNotFound):  # removed just now
        return {}


def _picture(job: Job, number: int, finished: Mapping[int, Path]) -> ScenePicture:
    snapshot = job.snapshot()
    progress = snapshot.progress
    if number > progress.scenes:  # the browser may send anything
        return _EMPTY
    task = _task(job, number)
    if number in finished:
        return ScenePicture("drawn", task, finished[number], share=1.0)
    if snapshot.state.is_terminal:
        if job.error is None:
            return _EMPTY
        return ScenePicture("stopped", why=" ".join(explain_error(job.error)))
    if snapshot.state is JobState.QUEUED or number not in progress.begun:
        return ScenePicture("waiting", task, eta_s=progress.eta_s)
    job.watch()
    preview = job.preview
    return ScenePicture(
        "drawing",
        task,
        preview=preview if preview is not None and preview.scene == number else None,
        share=progress.step / progress.steps if number >= progress.scene else 1.0,
        eta_s=progress.eta_s,
    )


def _task(job: Job, number: int) -> ImageTask:
    if isinstance(job.request, ImageRequest):
        return image_task(job.request, job.seed)
    return plan_scenes(job.request, job.seed)[number - 1]


def picture_html(picture: ScenePicture, number: int, text: str, *, changed: bool) -> str:
    """Draw it for its card.

    Args:
        number: the place of the scene, from 1.
        changed: it is not what would be drawn now.
    """
    words = {
        "empty": "Not drawn yet",
        "waiting": "In line",
        "drawing": "",
        "drawn": "Changed since" if changed else picture.why,
        "stopped": picture.why,
    }[picture.state]
    source = _source(picture)
    alt = escape(f"Scene {number}: {text}" if picture.path else f"Scene {number}, being drawn")
    image = f'<img src="{source}" alt="{alt}">' if source else ""
    if picture.path:
        image = f'<a href="{source}" target="_blank">{image}</a>'
    bar = track_html(f"Scene {number}", picture.share) if picture.state == "drawing" else ""
    told = f"<figcaption>{escape(words)}</figcaption>" if words else ""
    look = "changed" if changed and picture.path else picture.state
    return f'<figure class="still {look}">{image}{bar}{told}</figure>'


def _source(picture: ScenePicture) -> str:
    if picture.path is not None:
        return f"gradio_api/file={quote(str(picture.path))}"
    if picture.preview is not None:
        return picture.preview.data_url
    return ""
