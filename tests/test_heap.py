"""The C library's heap."""

import platform

from engine.heap import use_few_arenas


def test_glibc_takes_it_and_others_are_left_alone() -> None:
    assert use_few_arenas() == (platform.libc_ver()[0] == "glibc")
