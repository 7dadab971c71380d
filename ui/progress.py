"""Following jobs on the page: the progress bar, what went wrong, and the results at the end."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from pydantic import ValidationError

from engine import Engine, EngineError, EngineStatus, Job, JobSnapshot, JobState, Preview, Request
from engine.errors import JobCancelled, ResultGone
from engine.snapshots import Result
from ui.messages import explain_error, explain_refusal
from ui.visitors import find_job, submit

_FOLLOW_S = 0.2
_ENCODING_SHARE = 0.1


@dataclass(frozen=True)
class Moment:
    """What the page shows at one moment of a job, or of several that are followed together."""

    html: str
    job_ids: tuple[str, ...] = ()
    running: bool = False
    results: Mapping[str, Result] = field(default_factory=dict)
    """By job id, in the jobs' order: of those that have ended well."""
    preview: Preview | None = None
    """Of the picture being drawn now."""

    @property
    def job_id(self) -> str | None:
        """Of the only job, or the first."""
        return self.job_ids[0] if self.job_ids else None

    @property
    def result(self) -> Result | None:
        """Of the only job, or the first."""
        return self.results.get(self.job_id or "")


async def make(engine: Engine, build: Callable[[], Request], refused: str) -> AsyncIterator[Moment]:
    """Build a request from what stands on the page, submit it and follow it to its end.

    Args:
        build: may raise ValidationError or InvalidRequest; both are explained.
        refused: what to say first of values that are not allowed.
    """
    try:
        job = await submit(engine, build())
    except (ValidationError, EngineError) as err:
        yield Moment(error_html(*explain_refusal(refused, err)))
        return
    async for moment in follow(engine, [job]):
        yield moment


async def find_again(engine: Engine, job_ids: Sequence[str], kind: type[Request]) -> list[Job]:
    """The jobs that this visitor left behind, whether they have ended or not.

    Ids that are unknown, somebody else's or of another kind of job are passed over, and so are
    jobs that were cancelled or whose files are no longer kept: nobody waits for those.
    """
    found = await asyncio.to_thread(lambda: [_find_awaited(engine, id_) for id_ in job_ids])
    return [job for job in found if job is not None and isinstance(job.request, kind)]


def _find_awaited(engine: Engine, job_id: str) -> Job | None:
    job = find_job(engine, job_id)
    if job is None:
        return None
    try:
        engine.result(job)
    except (JobCancelled, ResultGone):
        return None
    except EngineError:  # it has failed, or is on its way
        return job
    return job


async def follow(engine: Engine, jobs: Sequence[Job], said: str = "") -> AsyncIterator[Moment]:
    """Yield what to show until all jobs have ended, and what came of them.

    Closing this generator does not cancel them: the visitor may come back.

    Args:
        jobs: one or several, in the order in which they will be done; of several the first may
            be an ended one that the others are like.
        said: HTML to show before the progress and at the end.
    """
    ids = tuple(job.id for job in jobs)
    version, since = -1, time.monotonic()
    before = 1 if len(jobs) > 1 and jobs[0].state.is_terminal else 0
    while (index := _first_open(jobs)) is not None:
        job, last = jobs[index], jobs[-1].snapshot()
        job.watch()
        if last.version != version:
            version, since = last.version, time.monotonic()
        left_s = last.progress.eta_s
        html = progress_html(
            job.snapshot(),
            engine.status(),
            left_s=None if left_s is None else left_s - (time.monotonic() - since),
            place=(index + 1 - before, len(jobs) - before),
        )
        results = {job.id: job.result() for job in jobs if job.state is JobState.SUCCEEDED}
        yield Moment(said + html, ids, running=True, results=results, preview=job.preview)
        await job.ended(_FOLLOW_S)
    html, results = _ending(engine, jobs)
    yield Moment(said + html, ids, results=results)


def _first_open(jobs: Sequence[Job]) -> int | None:
    return next((k for k, job in enumerate(jobs) if not job.state.is_terminal), None)


def _ending(engine: Engine, jobs: Sequence[Job]) -> tuple[str, dict[str, Result]]:
    """What came of ended jobs, and what to say where one has no result."""
    html, results = "", {}
    for job in jobs:
        try:
            results[job.id] = engine.result(job)
        except JobCancelled:
            html = html or note_html("Cancelled.", "Everything you wrote is still here.")
        except EngineError as err:
            html = html or error_html(*explain_error(err))
    return html, results


def progress_html(
    snapshot: JobSnapshot,
    status: EngineStatus,
    *,
    left_s: float | None = None,
    place: tuple[int, int] = (1, 1),
) -> str:
    """Draw a bar with what happens now and the time left.

    Args:
        left_s: seconds until everything is done.
        place: which of how many jobs this is, from 1.
    """
    number, of = place
    share, doing = share_done(snapshot), stage_words(snapshot, status)
    if of > 1:
        share, doing = (number - 1 + share) / of, f"Picture {number} of {of}: {doing.lower()}"
    left = "" if left_s is None else f"about {words_for_s(max(0.0, left_s))} left"
    return bar_html(doing, share, left)


def bar_html(doing: str, share: float, left: str) -> str:
    """Draw a bar.

    Args:
        doing: what happens now, in words.
        share: how much is done, from 0 to 1.
        left: how long it will take still, in words.
    """
    doing = escape(doing)
    return (
        f'<div class="progress"><div class="words"><span>{doing}</span>'
        f'<span class="left">{left}</span></div>'
        f"{track_html('Progress', share, doing)}</div>"
    )


def track_html(label: str, share: float, words: str = "") -> str:
    """Draw only the line of a bar.

    Args:
        label: what it shows, for those who do not see it; `words` what happens now.
        share: how much is done, from 0 to 1.
    """
    percent = share * 100
    text = f' aria-valuetext="{words}"' if words else ""
    return (
        f'<div class="track" role="progressbar" aria-label="{label}" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{percent:.0f}"{text}>'
        f'<div class="bar" style="width:{max(percent, 1.5):.1f}%"></div></div>'
    )


def share_done(snapshot: JobSnapshot) -> float:
    """How much of the work is done, from 0 to 1: denoising steps first, then video frames."""
    progress = snapshot.progress
    drawing = 1.0 - (_ENCODING_SHARE if snapshot.kind == "video" else 0.0)
    if progress.frames:
        return drawing + (1.0 - drawing) * progress.frame / progress.frames
    if not progress.steps:
        return 0.0
    scenes = progress.scene - 1 + (progress.step + progress.steps_beside) / progress.steps
    return drawing * scenes / progress.scenes


def stage_words(snapshot: JobSnapshot, status: EngineStatus) -> str:
    """Say in words what happens now."""
    progress = snapshot.progress
    if snapshot.state is JobState.QUEUED:
        if status.model_state == "loading":
            return "Waiting for the model to load"
        ahead = snapshot.queue_position or 0
        return "Next in line" if ahead == 0 else f"{ahead + 1} in line"
    scene = ""
    if snapshot.kind == "video" and progress.scene:
        others = f" and {progress.at_once - 1} more" if progress.at_once > 1 else ""
        scene = f"Scene {progress.scene}{others} of {progress.scenes}, "
    if progress.stage == "encoding":
        return (
            f"Writing the video, frame {progress.frame} of {progress.frames}"
            if (progress.frames)
            else f"{scene}saving".capitalize()
        )
    if progress.stage == "decoding":
        return _sentence(f"{scene}developing the picture")
    if progress.steps:
        return _sentence(f"{scene}step {progress.step} of {progress.steps}")
    return "Starting"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def words_for_s(seconds: float) -> str:
    """A length of time as people say it."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def error_html(happened: str, advice: str = "") -> str:
    """Say what went wrong and what to do."""
    return (
        f'<div class="note alert" role="alert"><strong>{escape(happened)}</strong>'
        f"{escape(advice)}</div>"
    )


def note_html(title: str, text: str) -> str:
    """Say something that is no error."""
    return f'<div class="note" role="status"><strong>{escape(title)}</strong>{escape(text)}</div>'
