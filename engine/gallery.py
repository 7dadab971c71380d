"""What was made and is still kept: looked through, seen small, thrown away.

It asks the journal only, which knows more than the jobs in memory: that what a closing process
ended goes on in the next one.
"""

import threading
from pathlib import Path

from PIL import Image

from engine.archive import Archive
from engine.errors import JobNotFound, NotEnded, ResultGone, StorageFull
from engine.records import Record
from engine.snapshots import Kind, VideoResult

THUMBNAIL = "thumbnail.webp"
_LONGEST_SIDE = 320
_QUALITY = 80


class Gallery:
    """The results of one data folder, as their owners see them. Thread-safe."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._thumbnail_lock = threading.Lock()

    def newest(
        self, *, owner: str | None = None, kind: Kind | None = None, limit: int = 24
    ) -> list[Record]:
        """Succeeded jobs of this owner whose results are kept, newest first."""
        return self._archive.journal.kept(owner, kind, limit)

    def thumbnail(self, record: Record) -> Path:
        """A picture of at most 320 pixels a side: of a story, its first scene.

        It is made at the first look and kept beside the result, so that scripts, which never
        look, pay nothing, and what was made before there were thumbnails has one too. It costs
        20 ms and 6 KB for a picture of 512 × 512, and does not count as kept bytes. Where none
        can be made, for the disk is full or the picture damaged, it is the picture itself.

        Raises:
            ResultGone: the job has no result, or its file is no longer there.
        """
        result = record.result
        if result is None:
            raise ResultGone("This job has no result.")
        picture = result.poster if isinstance(result, VideoResult) else result.path
        job_id = record.snapshot.id
        path = self._archive.store.path(job_id, THUMBNAIL)
        with self._thumbnail_lock:  # two at once would write into one file, or after a deletion
            if not result.path.is_file():
                raise ResultGone("The file of this job is no longer there.")
            if path.is_file():
                return path
            try:
                small = _shrink(picture)
                return self._archive.store.write(
                    job_id, THUMBNAIL, lambda part: small.save(part, "WEBP", quality=_QUALITY)
                )
            except (OSError, SyntaxError, ValueError, StorageFull):  # Pillow's, and the disk's
                return picture

    def remove(self, job_id: str, *, owner: str | None = None) -> None:
        """Delete all files of an ended job; its row stays, so that it is known to be gone.

        What other jobs took over from it is theirs. Idempotent.

        Raises:
            JobNotFound: there is no such job, or it is somebody else's.
            NotEnded: it may still write files.
            StorageFull: it cannot be written down that they are gone.
        """
        self._archive.recorder.settle()
        record = self._archive.journal.get(job_id)
        if record is None or record.terms.owner != owner:
            raise JobNotFound("There is no job with this id.")
        if not record.snapshot.state.is_terminal:
            raise NotEnded("The job has not ended yet.", advice="Cancel it first.")
        with self._thumbnail_lock:
            self._archive.remove(job_id)


def _shrink(picture: Path) -> Image.Image:
    with Image.open(picture) as image:
        image.draft("RGB", (_LONGEST_SIDE, _LONGEST_SIDE))  # a JPEG is then read small
        image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.LANCZOS)
        return image.convert("RGB")
