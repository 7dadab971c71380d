"""The door: every request shows a key or a session here before anything else sees it.

One ASGI middleware in front of all routes, the page and its own endpoints included. It tells the
routes who is calling as `scope["state"]["owner"]`.
"""

from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ErrorBody
from api.keys import Keyring, new_visitor
from api.login import COOKIE, LOGIN, LOGOUT, session_cookie
from api.negotiation import prefers_html

OPEN = frozenset({"/health", "/health/ready"})
_DOORS = frozenset({LOGIN, LOGOUT})
_PAGE = frozenset({"/ui", "/ui/"})
"""What browsers open; programs go straight to what is behind, and share one owner."""


class AccessGuard:
    """Let in who shows a key or a session; lead browsers to a form to show one."""

    def __init__(self, app: ASGIApp, keyring: Keyring) -> None:
        self._app = app
        self._keyring = keyring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        owner, refused = self._owner(headers)
        path = scope["path"]
        scope.setdefault("state", {})["owner"] = owner
        known = scope["state"]["known"] = owner is not None or not self._keyring.locked
        if path not in _DOORS and (refused or not (known or path in OPEN)):
            await self._refuse(headers, scope, receive, send)
        elif owner is None and not self._keyring.locked and path in _PAGE:
            await self._as_visitor(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _owner(self, headers: Headers) -> tuple[str | None, bool]:
        """Who shows what these headers hold; and whether they hold a key that is wrong."""
        presented = _presented_key(headers)
        if presented is not None and self._keyring.locked:
            owner = self._keyring.owner_of_key(presented)
            return owner, owner is None
        # Not the library's parser: it stops at the first odd cookie of some other service here.
        token = cookie_parser(headers.get("cookie", "")).get(COOKIE)
        return (None if token is None else self._keyring.owner_of_session(token)), False

    async def _refuse(self, headers: Headers, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["method"] in ("GET", "HEAD") and prefers_html(headers.get("accept", "")):
            query = scope.get("query_string", b"").decode("latin-1")
            target = quote(f"{scope['path']}?{query}" if query else scope["path"], safe="/")
            answer: Response = RedirectResponse(f"{LOGIN}?next={target}", 303)
        else:
            body = ErrorBody(
                code="unauthorized",
                detail="This service needs a key, and none of its own was shown.",
                advice="Send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`; "
                "a browser opens /login.",
            )
            challenge = {"WWW-Authenticate": 'Bearer realm="storyreel"'}
            answer = Response(body.model_dump_json(), 401, challenge, "application/json")
        await answer(scope, receive, send)

    async def _as_visitor(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Give a browser that needs no key a session of its own."""
        owner = new_visitor()
        scope["state"]["owner"] = owner
        cookie = session_cookie(self._keyring, owner, scope["scheme"])

        async def send_with_session(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("Set-Cookie", cookie)
            await send(message)

        await self._app(scope, receive, send_with_session)


def _presented_key(headers: Headers) -> str | None:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    return headers.get("x-api-key")
