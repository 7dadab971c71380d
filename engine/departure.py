"""The end of the process, whatever its threads are at."""

import logging
import os
import sys
import threading

logger = logging.getLogger(__name__)

_UNSTOPPABLE = frozenset({"compiler", "device"})
"""Threads that may be deep in the libraries of the model."""


def leave_at_once_if_busy() -> None:
    """End the process here, with status 0, if a thread cannot be stopped.

    The interpreter would end around it, and the libraries abort the process then.
    """
    busy = [thread.name for thread in threading.enumerate() if thread.name in _UNSTOPPABLE]
    if not busy:
        return
    logger.info("leaving while at work: %s", ", ".join(busy))
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)
