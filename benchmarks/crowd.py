"""Clients that poll a job and follow its events: `python -m benchmarks.crowd PORT PATH SECONDS`.

A process of its own, so that it is the machine and not the measuring process that it slows.
Prints as JSON what it did.
"""

import asyncio
import contextlib
import json
import random
import sys
from dataclasses import asdict, dataclass, field

CLIENTS, POLLS_PER_S, STREAMS = 500, 100.0, 100
_PAUSE_S = CLIENTS / POLLS_PER_S


@dataclass
class Count:
    """What the crowd saw."""

    polls: int = 0
    events: int = 0
    streams: int = 0
    failures: int = 0
    seen: list[str] = field(default_factory=list)

    def failed(self, what: str) -> None:
        self.failures += 1
        if what not in self.seen[:5]:
            self.seen.append(what)


async def poll(port: int, path: str, count: Count) -> None:
    """One client: a poll on a new connection every few seconds, as most scripts do."""
    await asyncio.sleep(random.uniform(0, _PAUSE_S))
    while True:
        pause = asyncio.create_task(asyncio.sleep(_PAUSE_S))
        try:
            answer = await _answer(port, path)
            count.polls += 1
            if b" 200 " not in answer[:20]:
                count.failed(answer[:60].decode("latin-1"))
        except OSError as err:
            count.failed(repr(err))
        await pause


async def _answer(port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(_request(path, "Connection: close"))
        return await reader.read(-1)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def follow(port: int, path: str, count: Count) -> None:
    """One client that keeps an event stream open, and opens it anew should it end."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            count.streams += 1
            writer.write(_request(f"{path}/events", "Accept: text/event-stream"))
            while line := await reader.readline():
                count.events += line.startswith(b"data:")
            count.failed("a stream ended")
        except OSError as err:
            count.failed(repr(err))
        await asyncio.sleep(1)


def _request(path: str, *headers: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


async def crowd(port: int, path: str, seconds: float) -> Count:
    """Be all of them for a while."""
    count = Count()
    clients = [asyncio.create_task(poll(port, path, count)) for _ in range(CLIENTS)]
    clients += [asyncio.create_task(follow(port, path, count)) for _ in range(STREAMS)]
    await asyncio.sleep(seconds)
    for client in clients:
        client.cancel()
    await asyncio.gather(*clients, return_exceptions=True)
    return count


if __name__ == "__main__":
    counted = asyncio.run(crowd(int(sys.argv[1]), sys.argv[2], float(sys.argv[3])))
    sys.stdout.write(json.dumps(asdict(counted)) + "\n")
