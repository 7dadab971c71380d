"""The C library's heap."""

import ctypes
import platform
import re
from pathlib import Path

import pytest

from engine.heap import give_back, use_few_arenas


def test_glibc_takes_it_and_others_are_left_alone() -> None:
    assert use_few_arenas() == (platform.libc_ver()[0] == "glibc")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="about its heap")
def test_freed_memory_between_pages_in_use_goes_back_to_the_system() -> None:
    libc, size, blocks = ctypes.CDLL(None), 20_000, 2_000  # below what glibc maps by itself
    libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    held = [libc.malloc(size) for _ in range(blocks)]
    for block in held:
        ctypes.memset(block, 1, size)
    for block in held[1:-1]:
        libc.free(block)
    before = _own_bytes()
    assert give_back()
    assert before - _own_bytes() > 0.8 * size * blocks
    for block in (held[0], held[-1]):
        libc.free(block)


def _own_bytes() -> int:
    found = re.search(r"RssAnon:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024
