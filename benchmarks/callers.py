"""Callers of a service: pictures and stories over HTTP, alone or many at once."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx

from benchmarks.servers import Served
from engine import ImageRequest, VideoRequest


@contextmanager
def calling(server: Served, address: str = "127.0.0.1") -> Iterator[httpx.Client]:
    """A client that waits as long as it takes.

    Args:
        address: the loopback address that it calls from; each is a client of its own. Only Linux
            has more than one.
    """
    transport = httpx.HTTPTransport(
        local_address=address, limits=httpx.Limits(max_connections=None)
    )
    with httpx.Client(base_url=server.url, transport=transport, timeout=None) as client:
        yield client


def draw(client: httpx.Client, request: ImageRequest) -> bytes:
    """Ask for a picture and wait for its file."""
    return _file(client, "/generate", request)


def draw_at_once(client: httpx.Client, requests: Sequence[ImageRequest]) -> list[bytes]:
    """Ask for all of them at the same time."""
    with ThreadPoolExecutor(len(requests)) as threads:
        return list(threads.map(lambda request: draw(client, request), requests))


def tell(client: httpx.Client, request: VideoRequest) -> bytes:
    """Ask for a story and wait for its video."""
    return _file(client, "/generate-video", request)


def _file(client: httpx.Client, path: str, request: ImageRequest | VideoRequest) -> bytes:
    answer = client.post(path, json=request.model_dump(exclude_none=True))
    answer.raise_for_status()
    return answer.content
