"""Clients that do not behave, byte by byte; and many that do, in one thread."""

import asyncio
import re
import socket
import struct
from urllib.parse import urlsplit

_SMALL_BUFFER = 4096


def request(path: str, method: str = "GET", *, length: int = 0, **headers: str) -> bytes:
    """The head of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def connect(url: str) -> socket.socket:
    """A connection that takes little at a time."""
    parts = urlsplit(url)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
    client.connect((parts.hostname, parts.port))
    return client


def vanish(client: socket.socket) -> None:
    """Leave without a word: the connection is reset."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def read_to_end(client: socket.socket) -> bytes:
    """The body of an answer whose connection closes behind it."""
    with client, client.makefile("rb") as answer:
        return answer.read().partition(b"\r\n\r\n")[2]


async def poll(url: str, path: str, times: int, pause_s: float) -> list[int]:
    """Ask again and again over one connection; the statuses of the answers."""
    parts, statuses = urlsplit(url), []
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    for _ in range(times):
        writer.write(request(path))
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        assert length is not None
        await reader.readexactly(int(length[1]))
        statuses.append(int(head.split()[1]))
        await asyncio.sleep(pause_s)
    writer.close()
    return statuses


async def follow(url: str, path: str) -> list[str]:
    """Read an event stream to its end; the names of its events."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(request(path, Connection="close"))
    text = (await reader.read()).decode()
    writer.close()
    return re.findall(r"^event: (\w+)", text, re.MULTILINE)
