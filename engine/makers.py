"""Threads that carry one job each, while another one draws for them."""

import logging
import threading
from collections.abc import Callable

from engine.errors import ModelUnavailable

logger = logging.getLogger(__name__)


class Makers:
    """A number of such threads. At most half of them, but one, may take stories.

    So a picture never waits for a whole story.
    """

    def __init__(
        self, number: int, make: Callable[[bool], None], on_end: Callable[[], None]
    ) -> None:
        """Prepare them; `start` begins.

        Args:
            make: makes jobs until there are no more; told whether it may take stories.
            on_end: called when a thread has ended.
        """
        self._make = make
        self._on_end = on_end
        self._at_work = 0
        self._counting = threading.Lock()
        most_stories = max(1, number // 2)
        self._threads = [
            threading.Thread(
                target=self._run, args=[one < most_stories], name=f"maker-{one}", daemon=True
            )
            for one in range(number)
        ]

    @property
    def have_ended(self) -> bool:
        return self._at_work == 0

    def start(self) -> None:
        """Start as many as the system allows.

        Raises:
            ModelUnavailable: it allows none.
        """
        for number, thread in enumerate(self._threads):
            self._count(+1)
            try:
                thread.start()
            except RuntimeError as err:
                self._count(-1)
                if number == 0:
                    raise ModelUnavailable(
                        "No thread could be started to make jobs on.",
                        advice="Allow the service more threads or memory, and start it again.",
                    ) from err
                logger.error("only %d jobs are made at a time: no more threads", number)
                return

    def join(self) -> None:
        """Wait until all have ended."""
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _run(self, stories: bool) -> None:
        try:
            self._make(stories)
        finally:
            self._count(-1)
            self._on_end()

    def _count(self, change: int) -> None:
        with self._counting:
            self._at_work += change
