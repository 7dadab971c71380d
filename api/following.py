"""Following a job as server-sent events, by many at once."""

import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any
from weakref import WeakKeyDictionary

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.types import Send

from api.errors import documented
from api.job_answers import JobView, PreviewView, base_of
from api.openapi import EVENTS, events_of
from api.submission import FindJob
from engine import Job, JobSnapshot, errors

_FOLLOW_S = 0.2
_PING_S = 15.0
_RECONNECT_MS = 2000
_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


class EventStream(StreamingResponse):
    """Server-sent events; their generator ends as soon as the client has gone."""

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self.body_iterator):  # type: ignore[type-var]
            await super().stream_response(send)


class Events:
    """What is told of jobs, as it goes over the wire.

    Many may follow one job, and each step of it is news to all of them: it is put into words for
    the first and kept for the others.
    """

    def __init__(self) -> None:
        self._latest: WeakKeyDictionary[Job, tuple[Any, bytes]] = WeakKeyDictionary()

    def progress(self, job: Job, snapshot: JobSnapshot, event_id: str, base: str) -> bytes:
        """Tell where a job stands."""
        wanted = (snapshot.version, base)
        kept, frame = self._latest.get(job, (None, b""))
        if kept != wanted:
            view = JobView.of(snapshot, base, seed=job.seed, error=None)
            frame = _frame(view, "progress", event_id)
            self._latest[job] = wanted, frame
        return frame

    def end(self, job: Job, event_id: str, base: str) -> bytes:
        """Tell how a job has ended."""
        name = "closing" if isinstance(job.error, errors.ShuttingDown) else "end"
        return _frame(JobView.of_job(job, base), name, event_id)


def _frame(view: JobView, name: str, event_id: str) -> bytes:
    text = view.model_dump_json()
    return format_sse_event(data_str=text, event=name, id=event_id, retry=_RECONNECT_MS)


def add_following(router: APIRouter, find_job: FindJob) -> None:
    """Add the route that follows a job."""
    events = Events()

    @router.get(
        "/jobs/{job_id}/events",
        summary="Follow a job",
        response_class=EventStream,
        responses={200: {"content": events_of(JobView, PreviewView)}, **documented(404, 422)},
    )
    async def follow_job(
        request: Request,
        job: Annotated[Job, Depends(find_job)],
        last_event_id: Annotated[str | None, Header(max_length=100)] = None,
        previews: Annotated[
            bool, Query(description="Send small pictures of what is being drawn too.")
        ] = False,
    ) -> Response:
        """Server-sent events: `progress` at every change, and `end` when it has ended.

        The data is the job as `GET /jobs/{job_id}` answers it. A client that connects again and
        sends `Last-Event-ID`, as browsers do, is told only what it does not know. `closing`
        means that the server stops and the job waits for its next start. With `previews=1` there
        is also `preview`, for the eye only: `scene`, `step`, and `image`, a small JPEG as a data
        URL.
        """
        told = _tell(events, job, base_of(request), last_event_id, previews)
        return EventStream(told, headers=_HEADERS, media_type=EVENTS)


async def _tell(
    events: Events, job: Job, base: str, known: str | None, previews: bool
) -> AsyncIterator[bytes]:
    """Frames of a stream, and a sign of life where nothing happens, for proxies in between."""
    seen, told_at = None, time.monotonic()
    async for snapshot in job.follow(_FOLLOW_S):
        if previews:
            job.watch()
        now = time.monotonic()
        event_id = f"{int(1000 * snapshot.created_at)}-{snapshot.version}"
        if snapshot.state.is_terminal:
            yield events.end(job, event_id, base)
        elif event_id != known:
            known, told_at = event_id, now
            yield events.progress(job, snapshot, event_id, base)
        elif now - told_at > _PING_S:
            told_at = now
            yield KEEPALIVE_COMMENT
        if previews and (preview := job.preview) not in (None, seen):
            seen = preview
            text = PreviewView.of(preview).model_dump_json()
            yield format_sse_event(data_str=text, event="preview")
