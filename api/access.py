"""The door: every request shows a key or a session here before anything else sees it.

One ASGI middleware in front of all routes, the page and its own endpoints included. It tells the
routes who is calling as `scope["state"]["owner"]`.
"""

import asyncio
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ErrorBody
from api.keys import SESSION_DAYS, Keyring, new_visitor
from api.login import login_page
from api.negotiation import prefers_html

COOKIE = "storyreel_session"
OPEN = frozenset({"/health", "/health/ready"})
_LOGIN, _LOGOUT = "/login", "/logout"
_FORM_BYTES = 4096
_WRONG_KEY_S = 1.0


class AccessGuard:
    """Let in who shows a key or a session; offer browsers a form to show one."""

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
        scope["state"]["known"] = owner is not None or not self._keyring.locked
        if scope["type"] == "http" and path in (_LOGIN, _LOGOUT):
            await (await self._door(Request(scope, receive)))(scope, receive, send)
        elif refused or not (scope["state"]["known"] or path in OPEN):
            await self._refuse(headers, scope, receive, send)
        elif owner is None and not self._keyring.locked and path.startswith("/ui"):
            await self._as_visitor(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _owner(self, headers: Headers) -> tuple[str | None, bool]:
        """Who shows what these headers hold; and whether they hold a key that is wrong."""
        presented = _presented_key(headers)
        if presented is not None and self._keyring.locked:
            owner = self._keyring.owner_of_key(presented)
            return owner, owner is None
        token = _cookie(headers, COOKIE)
        return (None if token is None else self._keyring.owner_of_session(token)), False

    async def _refuse(self, headers: Headers, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["method"] in ("GET", "HEAD") and prefers_html(headers.get("accept", "")):
            target = quote(scope["path"], safe="/")
            answer: Response = RedirectResponse(f"{_LOGIN}?next={target}", 303)
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

    async def _door(self, request: Request) -> Response:
        """Answer the login form, a key shown in it, and the way out."""
        target = _local(request.query_params.get("next", ""))
        if request.url.path == _LOGOUT:
            answer: Response = RedirectResponse(_LOGIN, 303)
            answer.delete_cookie(COOKIE)
            return answer
        if request.method != "POST":
            return HTMLResponse(login_page(target, wrong=False))
        form = parse_qs((await _read(request, _FORM_BYTES)).decode("utf-8", "replace"))
        owner = self._keyring.owner_of_key(form.get("key", [""])[0])
        if owner is None:
            await asyncio.sleep(_WRONG_KEY_S)  # guessing shall be slow
            return HTMLResponse(login_page(target, wrong=True), 401)
        answer = RedirectResponse(target, 303)
        answer.headers.append("Set-Cookie", self._session_cookie(owner, request.url.scheme))
        return answer

    async def _as_visitor(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Give a browser that needs no key a session of its own."""
        owner = new_visitor()
        scope["state"]["owner"] = owner

        async def send_with_session(message: Message) -> None:
            if message["type"] == "http.response.start":
                cookie = self._session_cookie(owner, scope["scheme"])
                MutableHeaders(scope=message).append("Set-Cookie", cookie)
            await send(message)

        await self._app(scope, receive, send_with_session)

    def _session_cookie(self, owner: str, scheme: str) -> str:
        parts = [f"{COOKIE}={self._keyring.open_session(owner)}", "Path=/", "HttpOnly"]
        parts += ["SameSite=Strict", f"Max-Age={SESSION_DAYS * 24 * 3600}"]
        return "; ".join(parts + (["Secure"] if scheme == "https" else []))


def _presented_key(headers: Headers) -> str | None:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    return headers.get("x-api-key")


def _cookie(headers: Headers, name: str) -> str | None:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return None
    return None if morsel is None else morsel.value


def _local(target: str) -> str:
    """A path on this server to go on to; anything else leads to the page."""
    harmless = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if harmless and target.isprintable() else "/ui/"


async def _read(request: Request, limit: int) -> bytes:
    """The body, or nothing if it is longer than a form is."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            return b""
    return body
