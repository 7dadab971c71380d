"""Every path there is, and every odd way to write one, without a key: nothing answers."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI
from starlette.routing import BaseRoute

from tests.api.conftest import KEY

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY")
OPEN = {"/health", "/health/ready"}
JOB = f"/jobs/{'0' * 32}"
ODD = [
    *("/health/", "/HEALTH", "/Health", "//health", "/health/../jobs", "/health/..%2fjobs"),
    *("/health/%2e%2e/jobs", "/./jobs", "/jobs/", "/JOBS", "/jobs?x=/health", "/jobs#/health"),
    *("/health%00", "/health%20", "/health;/jobs", "/health/ready/../../jobs", "/%6aobs"),
    *("/ui", "/ui//", "/ui//gradio_api/queue/join", "//ui/gradio_api/config", "/UI/", "/ui/..;/"),
    *("/ui/%67radio_api/config", "/ui/gradio_api%2fconfig", "/ui/../ui/config", "/ui/config/"),
    *("/login/", "/LOGIN", "/login/../ui/config", "/login%2f..%2fui%2fconfig", "/login/x"),
    *("/logout/", "/openapi.json/", "/docs/", "/redoc/", "/static-offline-docs/", "/metrics/"),
    *("/ui/gradio_api/file=/etc/passwd", "/ui/gradio_api/file=http://localhost/health"),
    *("/docs", "/redoc", "/openapi.json", "/metrics", "/nowhere", "/a-route-of-tomorrow"),
    *("http://localhost/jobs", "http://localhost/ui/", "*", "/\xe9", "/%ff%fe"),
]


def page_routes(routes: list[BaseRoute], prefix: str = "") -> Iterator[str]:
    """The paths of a mounted page, its own routers followed, wherever its framework keeps them."""
    for route in routes:
        path = getattr(route, "path", "") or ""
        inner: Any = getattr(route, "original_router", None) or getattr(route, "app", None)
        if getattr(inner, "routes", None):
            context = getattr(route, "include_context", None)
            yield from page_routes(inner.routes, prefix + (getattr(context, "prefix", "") or path))
        elif path:
            yield prefix + path


def page_paths(app: FastAPI) -> list[str]:
    (page,) = [route for route in app.routes if getattr(route, "path", "") == "/ui"]
    found = {f"/ui{path}" for path in page_routes(page.app.routes)}  # type: ignore[attr-defined]
    return sorted(path.replace("{", "").replace(":path}", "").replace("}", "") for path in found)


def rest_paths(app: FastAPI) -> list[str]:
    known = [path.replace("{job_id}", "0" * 32) for path in app.openapi()["paths"]]
    return [path.replace("{number}", "1") for path in known]


def ask(client: httpx.Client, target: str, method: str = "GET", *headers: str) -> int:
    """Send a request line as it stands here: clients tidy addresses up before they send them."""
    address = (client.base_url.host, client.base_url.port or 80)
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close", *headers]
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        return int(connection.recv(4096).split(b" ", 2)[1])


def test_the_walk_meets_the_page_s_own_routes(keyed_app: FastAPI) -> None:
    paths = page_paths(keyed_app)
    assert len(paths) > 60
    assert {"/ui/config", "/ui/gradio_api/queue/join", "/ui/gradio_api/upload"} <= set(paths)


def test_no_path_answers_any_method(keyed: httpx.Client, keyed_app: FastAPI) -> None:
    answers = {
        (method, path): keyed.request(method, path).status_code
        for path in [*rest_paths(keyed_app), *page_paths(keyed_app)]
        for method in METHODS
    }
    let_in = {path for (_, path), status in answers.items() if status != 401}
    assert let_in == OPEN
    assert len(answers) > 600


def test_a_browser_is_led_to_the_form_from_every_path(
    keyed: httpx.Client, keyed_app: FastAPI
) -> None:
    for path in {*rest_paths(keyed_app), *page_paths(keyed_app)} - OPEN:
        answer = keyed.get(path, headers={"Accept": "text/html"})
        assert (answer.status_code, answer.headers["location"]) == (
            303,
            f"/login?next={quote(path)}",
        )


def test_the_form_leads_back_to_the_whole_address(keyed: httpx.Client) -> None:
    led = keyed.get("/ui/?view=api&x=a b", headers={"Accept": "text/html"})
    form = keyed.get(led.headers["location"])
    assert f'action="login?next={quote("/ui/?view=api&x=a%20b", safe="/")}"' in form.text
    answer = keyed.post(led.headers["location"], data={"key": KEY})
    keyed.cookies.clear()
    assert answer.headers["location"] == "/ui/?view=api&x=a%20b"


@pytest.mark.parametrize("target", ODD)
def test_no_way_to_write_a_path_gets_past(keyed: httpx.Client, target: str) -> None:
    for method in ("GET", "POST"):
        assert ask(keyed, target, method) in (400, 401)


@pytest.mark.parametrize(
    "header",
    [
        "X-Original-URL: /health",
        "X-Rewrite-URL: /health",
        "X-Forwarded-Path: /health",
        "X-Forwarded-Prefix: /ui",
        "X-HTTP-Method-Override: OPTIONS",
        "X-Forwarded-For: 127.0.0.1",
    ],
)
def test_no_header_gets_past(keyed: httpx.Client, header: str) -> None:
    assert ask(keyed, "/jobs", "GET", header) == 401
    assert ask(keyed, "/ui/config", "GET", header) == 401


@pytest.mark.parametrize("path", ["/jobs", "/ui/", "/ui/gradio_api/queue/join", "/health"])
def test_an_upgrade_gets_past_no_more_than_a_request(keyed: httpx.Client, path: str) -> None:
    headers = ("Upgrade: websocket", "Sec-WebSocket-Key: eA==", "Sec-WebSocket-Version: 13")
    assert ask(keyed, path, "GET", *headers) in ((200,) if path in OPEN else (401,))


@pytest.mark.parametrize("path", ["/jobs", "/ui/", "/ui/gradio_api/queue/join", "/login"])
def test_web_sockets_are_closed(keyed_app: FastAPI, path: str) -> None:
    """Also where a server that speaks them stands in front."""
    told: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        told.append(message)

    headers = [(b"host", b"localhost")]
    scope = {"type": "websocket", "path": path, "headers": headers, "query_string": b""}
    asyncio.run(keyed_app({**scope, "scheme": "ws"}, receive, send))
    assert [message["type"] for message in told] == ["websocket.close"]


def test_a_preflight_learns_nothing(keyed: httpx.Client) -> None:
    """It never carries a key, so it is answered before the door, and refused."""
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for path in ("/jobs", "/ui/gradio_api/queue/join", "/nowhere"):
        answer = keyed.options(path, headers=headers)
        assert answer.status_code == 400
        assert "access-control-allow-origin" not in answer.headers
