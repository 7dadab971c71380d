"""Following a job on the page: the progress bar, what went wrong, and the result at the end."""

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from html import escape

from pydantic import ValidationError

from engine import Engine, EngineError, EngineStatus, JobSnapshot, JobState, Request
from engine.errors import InvalidRequest, JobCancelled
from engine.snapshots import Result
from ui.messages import LABELS, explain_error, explain_invalid
from ui.visitors import submit

_FOLLOW_S = 0.2
_ENCODING_SHARE = 0.1


@dataclass(frozen=True)
class Moment:
    """What the page shows at one moment of a job."""

    html: str
    job_id: str | None = None
    running: bool = False
    result: Result | None = None


async def make(engine: Engine, build: Callable[[], Request], refused: str) -> AsyncIterator[Moment]:
    """Build a request from what stands on the page, submit it and follow it to its end.

    Args:
        build: may raise ValidationError or InvalidRequest; both are explained.
        refused: what to say first when it does.
    """
    try:
        request = build()
    except ValidationError as err:
        faults = " ".join(explain_invalid(err, labels=LABELS))
        yield Moment(error_html(refused, faults))
    except InvalidRequest as err:
        yield Moment(error_html(*explain_error(err)))
    else:
        async for moment in follow_job(engine, request):
            yield moment


async def follow_job(engine: Engine, request: Request) -> AsyncIterator[Moment]:
    """Submit a request and yield what to show until its job has ended.

    Closing this generator does not cancel the job: the visitor may come back to it.
    """
    try:
        job = await submit(engine, request)
    except EngineError as err:
        yield Moment(error_html(*explain_error(err)))
        return
    version, since = -1, time.monotonic()
    async for snapshot in job.follow(_FOLLOW_S):
        if snapshot.version != version:
            version, since = snapshot.version, time.monotonic()
        if not snapshot.state.is_terminal:
            html = progress_html(snapshot, engine.status(), aged_s=time.monotonic() - since)
            yield Moment(html, job.id, running=True)
    try:
        yield Moment("", job.id, result=engine.result(job))
    except JobCancelled:
        yield Moment(note_html("Cancelled.", "Everything you wrote is still here."), job.id)
    except EngineError as err:
        yield Moment(error_html(*explain_error(err)), job.id)


def progress_html(snapshot: JobSnapshot, status: EngineStatus, *, aged_s: float = 0.0) -> str:
    """Draw a bar with what happens now and the time left.

    Args:
        aged_s: seconds since the snapshot last changed; they are taken off the time left.
    """
    share = share_done(snapshot)
    doing = stage_words(snapshot, status)
    eta_s = snapshot.progress.eta_s
    left = "" if eta_s is None else f"about {words_for_s(max(0.0, eta_s - aged_s))} left"
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
        f'<div class="track" role="progressbar" aria-label="Progress" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{share * 100:.0f}" aria-valuetext="{doing}">'
        f'<div class="bar" style="width:{max(share * 100, 1.5):.1f}%"></div></div></div>'
    )


def share_done(snapshot: JobSnapshot) -> float:
    """How much of the work is done, from 0 to 1: denoising steps first, then video frames."""
    progress = snapshot.progress
    drawing = 1.0 - (_ENCODING_SHARE if snapshot.kind == "video" else 0.0)
    if progress.frames:
        return drawing + (1.0 - drawing) * progress.frame / progress.frames
    if not progress.steps:
        return 0.0
    return drawing * (progress.scene - 1 + progress.step / progress.steps) / progress.scenes


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
        scene = f"Scene {progress.scene} of {progress.scenes}, "
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
