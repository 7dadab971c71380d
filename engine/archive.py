"""The data folder as a whole: its lock, its files, its journal, and how long things are kept."""

import logging
import time

from engine.errors import EngineError, StorageFull
from engine.journal import Journal
from engine.recorder import Recorder
from engine.recovery import heal, recover
from engine.retention import Limits, retain
from engine.settings import Settings
from engine.store import Store, lock_folder
from engine.timer import Later, Timer

logger = logging.getLogger(__name__)

_DAY_S = 24 * 3600
_RETAIN_AFTER_S = 60.0


class Archive:
    """What is kept of jobs on disk. One process at a time."""

    def __init__(self, settings: Settings, timer: Timer) -> None:
        """Take the folder, and bring it in order.

        `unfinished` then lists the jobs to go on with, in their old order.

        Raises:
            OSError: the data folder cannot be made or written.
            CannotStart: another process has it, or its journal cannot be used.
            StorageFull: there is no room to begin.
        """
        self._limits = Limits(settings.keep_days * _DAY_S, settings.keep_gb * 1e9)
        self._retaining = Later(timer, self._retain, wait_s=_RETAIN_AFTER_S)
        self._clock_s = time.time() - time.monotonic()
        self._lock = lock_folder(settings.data_dir)
        try:
            self.store = Store(settings.data_dir)
            self.journal = Journal(settings.data_dir)
            try:
                self.unfinished = recover(self.journal, self.store, time.time())
                heal(self.journal, self.store, self._limits.keep_s)
                self._retain()
            except BaseException:
                self.journal.close()
                raise
        except BaseException:
            self._lock.release()
            raise
        self.recorder = Recorder(self.journal, self.store)

    def retain_soon(self) -> None:
        """Remove what is too old or too much, within a minute and on another thread."""
        self._retaining.ask()

    def remove(self, job_id: str) -> None:
        """Delete all files of an ended job, and write down that they are gone.

        That is written first, so that a crash leaves nothing half there: what is left of the
        files goes at the next start. Only on a full disk they must make room for it first.

        Raises:
            StorageFull: it cannot be written down all the same.
        """
        try:
            self.journal.mark_gone([job_id])
        except StorageFull:
            self.store.discard(job_id)
            self.journal.mark_gone([job_id])
        else:
            self.store.discard(job_id)

    def close(self) -> None:
        """Write down what is still to be written, and give the folder back. Idempotent."""
        self.recorder.settle()
        self.journal.close()
        self._lock.release()

    def _retain(self) -> None:
        now = self._clock_s + time.monotonic()  # a clock that jumps must not cost all results
        try:
            retain(self.journal, self.store, self._limits, now)
        except EngineError as err:
            logger.error("old results are still kept: %s", err.message)
