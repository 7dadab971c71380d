"""The data folder: where finished files live, and how they come to be there whole or not at all."""

import errno
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from engine.errors import StorageFull

_PART = ".part"
_STALE_S = 24 * 3600
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


class Store:
    """Files of finished jobs, one folder a job: `<data-dir>/jobs/<job id>/`."""

    def __init__(self, data_dir: Path) -> None:
        """Open the folder, make it if needed, and remove what a crash left half-written.

        Only what is a day old: a younger file may be another process's work.

        Raises:
            OSError: the folder cannot be made or written.
        """
        self._jobs = data_dir / "jobs"
        self._jobs.mkdir(parents=True, exist_ok=True)
        for leftover in self._jobs.glob(f"*{_PART}"):
            if time.time() - leftover.stat().st_mtime > _STALE_S:
                leftover.unlink(missing_ok=True)
        probe = self._jobs / f"probe{_PART}"
        probe.touch()
        probe.unlink()

    def path(self, job_id: str, name: str) -> Path:
        """Where the file `name` of a job is or will be."""
        return self._jobs / job_id / name

    def write(self, job_id: str, name: str, write: Callable[[Path], None]) -> Path:
        """Let `write` fill a file beside the job's folder, sync it, and rename it into place.

        Raises:
            StorageFull: the disk or quota is full, or read-only; nothing is left behind.
        """
        final = self.path(job_id, name)
        part = self._jobs / f"{job_id}-{name}{_PART}"
        try:
            self._jobs.mkdir(parents=True, exist_ok=True)
            write(part)
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            final.parent.mkdir(exist_ok=True)
            part.replace(final)
        except OSError as err:
            if err.errno in _NO_ROOM:
                raise StorageFull(f"The data folder cannot be written: {err.strerror}.") from err
            raise
        finally:
            part.unlink(missing_ok=True)
        return final

    def discard(self, job_id: str) -> None:
        """Remove what a job has written."""
        shutil.rmtree(self._jobs / job_id, ignore_errors=True)
