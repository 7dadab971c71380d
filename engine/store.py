"""The data folder: where finished files live, and how they come to be there whole or not at all."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

from engine.errors import StorageFull

_PART = ".part"
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


class Store:
    """Files of finished jobs, one folder a job: `<data-dir>/jobs/<job id>/`."""

    def __init__(self, data_dir: Path) -> None:
        """Open the folder, make it if needed, and remove what a crash left half-written.

        Raises:
            OSError: the folder cannot be made or written.
        """
        self._jobs = data_dir / "jobs"
        self._jobs.mkdir(parents=True, exist_ok=True)
        for leftover in self._jobs.glob(f"*{_PART}"):
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
            write(part)
            with part.open("rb") as file:
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
