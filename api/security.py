"""Who may talk to the service, and how much they may send."""

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from engine import Settings

MAX_BODY_BYTES = 32 * 2**20
"""For everything, the page's uploads included."""
MAX_JSON_BYTES = 2 * 2**20
"""For one request of the REST routes: the longest story fits, escaped."""

_LOOPBACK_NAMES = ["localhost", "127.0.0.1", "[::1]"]


def guard(app: FastAPI, settings: Settings) -> None:
    """Answer only expected Host headers, and let only named origins read from a browser.

    The Host check is what keeps a foreign web page from reaching a service on loopback by
    pointing its own name there. The CORS middleware must stand even with no origin allowed:
    without it the mounted page reflects any origin, with credentials.
    """
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "X-API-Key", "Idempotency-Key"],
        expose_headers=["X-Seed", "X-Video-Scenes", "X-Video-Duration", "X-Video-FPS"],
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=allowed_hosts(settings))


def allowed_hosts(settings: Settings) -> list[str]:
    """The Host headers to answer: as set, else by where the service listens."""
    if settings.allowed_hosts:
        return settings.allowed_hosts
    return _LOOPBACK_NAMES if settings.listens_on_loopback else ["*"]
