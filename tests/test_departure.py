"""Leaving: the process ends well, whatever a thread is at."""

import subprocess
import sys

import pytest

SCRIPT = """
import logging, threading
from engine.departure import leave_at_once_if_busy
logging.basicConfig(level="INFO")
threading.Thread(target=threading.Event().wait, name={name!r}, daemon=True).start()
leave_at_once_if_busy()
print("still here")
"""


@pytest.mark.parametrize(("name", "leaves"), [("compiler", True), ("reader", False)])
def test_only_what_cannot_be_stopped_is_left_behind(name: str, leaves: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(name=name)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0
    assert ("still here" in done.stdout) is not leaves
    assert ("leaving while at work: compiler" in done.stderr) is leaves
