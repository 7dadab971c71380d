"""How much a request may carry. Every route names its own bound; the rest share the largest."""

from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ErrorBody
from engine.requests import SCENES_MAX, TEXT_MAX

_CHARACTER = len(r"\ud83d\ude00")
"""Bytes of the longest character in JSON."""
BARE_BYTES = 4 * 2**10
"""For routes that take nothing, because some clients send `{}` to all of them; and for a key."""
PICTURE_BYTES = BARE_BYTES + 2 * TEXT_MAX * _CHARACTER
"""For one picture: the longest prompt and negative prompt fit, escaped."""
STORY_BYTES = BARE_BYTES + (SCENES_MAX + 2) * TEXT_MAX * _CHARACTER
"""For a story, and for what the page sends: the longest one fits, escaped."""

_TOO_LARGE = ErrorBody(
    code="body_too_large", detail="Content Too Large", advice="Send a shorter request."
)


class BodyLimit:
    """Bound what no route bounds itself, and answer 413 in the form of every error.

    Counts what comes, so that a body of unannounced length is bounded as well.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = RequestBodyLimitMiddleware(app, max_body_size=STORY_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = _TOO_LARGE.model_dump_json().encode()
        refused = False

        async def send_in_form(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] == 413:
                refused = True
                length = str(len(body)).encode()
                headers = [(b"content-type", b"application/json"), (b"content-length", length)]
                await send({**message, "headers": headers})
                await send({"type": "http.response.body", "body": body})
            elif not refused:
                await send(message)

        await self._app(scope, receive, send_in_form)
