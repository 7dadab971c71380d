"""Who stands before the page: the owner that the door of the service told, and their address."""

import asyncio
from dataclasses import dataclass

from gradio.context import LocalContext

from engine import Engine, Job, Request
from engine.errors import JobNotFound


@dataclass(frozen=True)
class Visitor:
    """Whose jobs are shown and made; and whose turn they take in the queue."""

    owner: str | None = None
    client: str | None = None


def current_visitor() -> Visitor:
    """The visitor whose event is being handled; nobody outside of an event."""
    request = LocalContext.request.get(None)
    if request is None or request.request is None:
        return Visitor()
    scope = request.request.scope
    address = scope.get("client")
    return Visitor(scope.get("state", {}).get("owner"), address[0] if address else None)


def visitors_job(engine: Engine, job_id: str | None) -> Job:
    """A job of the current visitor. It may look into the journal: not on the event loop.

    Raises:
        JobNotFound: there is none, or it is somebody else's.
    """
    return engine.job(job_id or "", owner=current_visitor().owner)


def find_job(engine: Engine, job_id: str | None) -> Job | None:
    """The same, but None where there is none."""
    try:
        return visitors_job(engine, job_id)
    except JobNotFound:
        return None


def submit_now(
    engine: Engine, request: Request, *, attended: bool = False, reuse: bool = False
) -> Job:
    """Submit in the name of the current visitor. Not on the event loop: the journal is synced.

    Raises:
        EngineError: it is not accepted.
    """
    who = current_visitor()
    return engine.submit(
        request, owner=who.owner, client=who.client, attended=attended, reuse=reuse
    )


async def submit(engine: Engine, request: Request, *, attended: bool = False) -> Job:
    """The same from the event loop.

    Should an attended call be cancelled meanwhile, its job is too, once it is there.

    Raises:
        EngineError: it is not accepted.
    """
    coming = asyncio.ensure_future(
        asyncio.to_thread(submit_now, engine, request, attended=attended)
    )
    try:
        return await asyncio.shield(coming)
    except asyncio.CancelledError:
        if attended:
            coming.add_done_callback(_cancel)
        raise


def _cancel(accepted: "asyncio.Future[Job]") -> None:
    if accepted.exception() is None:
        accepted.result().cancel()
