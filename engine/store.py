"""The data folder: where finished files live, and how they come to be there whole or not at all."""

import contextlib
import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from engine.errors import CannotStart, DataFolderInUse, StorageFull

_PART = ".part"
_LOCK = "storyreel.lock"
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
_NO_ENTRY = {errno.EACCES, errno.EPERM}


class Store:
    """Files of finished jobs, one folder a job: `<data-dir>/jobs/<job id>/`."""

    def __init__(self, data_dir: Path) -> None:
        """Open the folder and make it if needed.

        Raises:
            OSError: the folder cannot be made or written.
        """
        self.data_dir = data_dir
        self._jobs = data_dir / "jobs"
        self._jobs.mkdir(parents=True, exist_ok=True)
        probe = self._jobs / f"probe{_PART}"
        probe.touch()
        probe.unlink()

    def path(self, job_id: str, name: str) -> Path:
        """Where the file `name` of a job is or will be."""
        return self._jobs / job_id / name

    def write(self, job_id: str, name: str, write: Callable[[Path], object]) -> Path:
        """Let `write` fill a file beside the job's folder, sync it, and rename it into place.

        Raises:
            StorageFull: the disk or quota is full, or the folder read-only; nothing half-written
                is left behind.
        """
        final = self.path(job_id, name)
        part = self._jobs / f"{job_id}-{name}{_PART}"
        try:
            self._jobs.mkdir(parents=True, exist_ok=True)
            write(part)
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            if not final.parent.is_dir():
                final.parent.mkdir(exist_ok=True)
                sync_folder(self._jobs)
            part.replace(final)
            sync_folder(final.parent)
        except OSError as err:
            if err.errno in _NO_ROOM or self._keeps_out(err):
                raise StorageFull(f"The data folder cannot be written: {err.strerror}.") from err
            raise
        finally:
            with contextlib.suppress(OSError):  # a disk that became read-only refuses this too
                part.unlink(missing_ok=True)
        return final

    def _keeps_out(self, err: OSError) -> bool:
        """Whether it is this folder that may not be written, and not some other file."""
        of_ours = err.filename is not None and Path(err.filename).is_relative_to(self._jobs)
        return err.errno in _NO_ENTRY and of_ours

    def discard(self, job_id: str) -> None:
        """Remove what a job has written."""
        shutil.rmtree(self._jobs / job_id, ignore_errors=True)

    def size(self, job_id: str) -> int:
        """Bytes of all files of a job."""
        folder = self._jobs / job_id
        return sum(path.stat().st_size for path in folder.iterdir()) if folder.is_dir() else 0

    def folders(self) -> dict[str, float]:
        """Every job's folder by the job's id, with the time at which it last changed."""
        folders = (path for path in self._jobs.iterdir() if path.is_dir())
        return {path.name: path.stat().st_mtime for path in folders}

    def clear_parts(self) -> int:
        """Remove half-written files; only for the one process that holds the folder."""
        parts = list(self._jobs.glob(f"*{_PART}"))
        for part in parts:
            part.unlink(missing_ok=True)
        return len(parts)


def lock_folder(data_dir: Path) -> FileLock:
    """Take a data folder for this process; it is given back by `release` or the process's end.

    Raises:
        CannotStart: another process, or another engine in this one, has it.
        OSError: the folder cannot be made or written.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(data_dir / _LOCK, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout as err:
        raise DataFolderInUse(f"Another process uses the data folder {data_dir}.") from err
    except NotImplementedError as err:
        raise CannotStart(
            f"The data folder {data_dir} is on a file system without locks.",
            advice="Choose another with --data-dir.",
        ) from err
    return lock


def sync_folder(folder: Path) -> None:
    """Make names in a folder outlive a power cut, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as err:
        if err.errno not in {errno.EINVAL, errno.ENOTSUP}:  # some file systems cannot
            raise
    finally:
        os.close(descriptor)
