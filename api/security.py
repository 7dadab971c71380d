"""Who may talk to the service: the order of its guards, and what web pages may do."""

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access import AccessGuard
from api.body_limits import BodyLimit
from api.errors import ErrorBody
from api.keys import Keyring
from api.logs import RequestLog
from api.page_doors import PageDoors
from engine import Engine, Settings

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_DOCS = ("/docs", "/redoc")
_DOCS_POLICY = "default-src 'self' 'unsafe-inline' data: blob:"
_LOOPBACK_NAMES = ["localhost", "127.0.0.1", "[::1]"]


def guard(app: FastAPI, engine: Engine, keyring: Keyring) -> None:
    """Stand guards before an app, the last one added first.

    Answer only expected Host headers and callers, and only named origins from a browser.

    The Host check is what keeps a foreign web page from reaching a service on loopback by
    pointing its own name there. The CORS middleware must stand even with no origin allowed:
    without it the mounted page reflects any origin, with credentials.
    """
    settings = engine.settings
    app.add_middleware(BodyLimit)
    app.add_middleware(PageDoors, engine=engine)
    app.add_middleware(OriginGuard, allowed=frozenset(settings.cors_origins))
    app.add_middleware(DocsPolicy)
    app.add_middleware(AccessGuard, keyring=keyring)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=[
            *("Authorization", "X-API-Key", "Content-Type"),
            *("Idempotency-Key", "Prefer", "Last-Event-ID"),
        ],
        expose_headers=[
            *("X-Seed", "X-Guidance-Scale", "X-Video-Scenes", "X-Video-Duration", "X-Video-FPS"),
            *("Content-Disposition", "Retry-After", "Location", "Preference-Applied"),
        ],
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=allowed_hosts(settings))
    app.add_middleware(RequestLog)


def allowed_hosts(settings: Settings) -> list[str]:
    """The Host headers to answer: as set, else by where the service listens."""
    if settings.allowed_hosts:
        return settings.allowed_hosts
    return _LOOPBACK_NAMES if settings.listens_on_loopback else ["*"]


class OriginGuard:
    """Refuse what a foreign web page sends through a visitor's browser.

    A form or an upload needs no preflight, so CORS alone would let it through.
    """

    def __init__(self, app: ASGIApp, allowed: frozenset[str]) -> None:
        self._app = app
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["method"] not in _SAFE_METHODS and self._is_foreign(Headers(scope=scope)):
            body = ErrorBody(
                code="foreign_origin",
                detail="A page of another origin sent this.",
                advice="Use the page itself, or name the origin with --cors-origins.",
            )
            await JSONResponse(body.model_dump(), 403)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_foreign(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin is None or origin in self._allowed:
            return False
        return origin.partition("://")[2] != headers.get("host")


class DocsPolicy:
    """Keep the documentation pages from loading anything from elsewhere, their logo included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Content-Security-Policy"] = _DOCS_POLICY
            await send(message)

        is_docs = scope["type"] == "http" and scope["path"] in _DOCS
        await self._app(scope, receive, send_with_policy if is_docs else send)
