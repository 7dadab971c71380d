"""The journal: what must outlive the process, in SQLite. Knows jobs, no device.

Every change is one short transaction, on the disk before the call returns. Reading goes through
a connection of its own, so that a poll does not wait for somebody else's write.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.errors import EngineError, JournalUnusable, ShuttingDown, StorageFull
from engine.jobs import Job
from engine.metadata import ImageRecipe
from engine.records import (
    Kept,
    KeptScene,
    Record,
    error_text,
    job_row,
    read_record,
    relative,
    result_text,
)
from engine.schema import APPLICATION_ID, SCHEMA, SCHEMA_VERSION, STEPS
from engine.snapshots import JobState, Result
from engine.store import sync_folder

NAME = "journal.sqlite3"
_LIKE = 4
"""The file of the latest picture may be damaged; an older one will do."""
_ENDED = "('succeeded', 'failed', 'cancelled')"
_FILES = "(NOT gone AND (state NOT IN ('failed', 'cancelled') OR bytes > 0))"


class Journal:
    """The journal of one data folder. Thread-safe; one process at a time."""

    def __init__(self, data_dir: Path) -> None:
        """Open the journal, or begin one.

        Raises:
            JournalUnusable: it is damaged, newer than this program, or not ours; it is left
                as it is.
        """
        self._data_dir = data_dir
        self._path = data_dir / NAME
        self._write_lock, self._read_lock = threading.RLock(), threading.Lock()
        self._closed = False
        try:
            if not self._path.exists():
                self._begin()
            self._writer = self._connect()
            try:
                self._upgrade(self._inspect())
                self._writer.executescript(
                    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;PRAGMA foreign_keys = ON;"
                )
                self._reader = self._connect()
            except BaseException:
                self._writer.close()
                raise
        except (sqlite3.Error, UnicodeDecodeError) as err:  # SQLite's own words may be damaged
            raise self._unusable(f"cannot be used: {err}") from err
        self.born_at: float = self._row("SELECT CAST(born_at AS REAL) AS at FROM meta")["at"]

    def close(self) -> None:
        """Write everything into the one file. Idempotent."""
        with self._write_lock, self._read_lock:
            if not self._closed:
                self._closed = True
                self._reader.close()
                self._writer.close()

    # Jobs.

    def accept(self, job: Job, key: str | None = None, digest: str = "") -> None:
        """Write down a job that was just accepted, and the idempotency key it came with."""
        row = job_row(job)
        names = ", ".join(row)
        marks = ", ".join(f":{name}" for name in row)
        with self._writing() as write:
            write(f"INSERT INTO jobs ({names}) VALUES ({marks})", row)
            if key is not None:
                write(
                    "INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?, ?)",
                    (job.owner or "", key, digest, job.id, row["created_at"]),
                )

    def key(self, owner: str | None, key: str) -> tuple[str, str] | None:
        """The digest of the request and the id of the job that came with a key."""
        found = self._row(
            "SELECT digest, job_id FROM keys WHERE owner = ? AND key = ?", owner or "", key
        )
        return None if found is None else (found["digest"], found["job_id"])

    def start(self, job_id: str, at: float) -> None:
        with self._writing() as write:
            write(
                "UPDATE jobs SET state = 'running', started_at = ?, attempts = attempts + 1 "
                "WHERE id = ? AND state = 'queued'",
                (at, job_id),
            )

    def succeed(self, job_id: str, at: float, result: Result, size: int) -> None:
        """Write down a result; `size` is in bytes, of all files of the job."""
        with self._writing() as write:
            write(
                "UPDATE jobs SET state = 'succeeded', finished_at = ?, result = ?, bytes = ? "
                f"WHERE id = ? AND state NOT IN {_ENDED}",
                (at, result_text(result, self._data_dir), size, job_id),
            )

    def end(
        self, job_id: str, state: JobState, at: float, error: EngineError, size: int = 0
    ) -> None:
        """Write down an end without a result.

        Args:
            size: bytes of the scenes that are kept; with 0 they are forgotten.
        """
        with self._writing() as write:
            ended = write(
                "UPDATE jobs SET state = ?, finished_at = ?, error = ?, bytes = ? "
                f"WHERE id = ? AND state NOT IN {_ENDED}",
                (state.value, at, error_text(error), size, job_id),
            )
            if ended and not size:
                write("DELETE FROM scenes WHERE job_id = ?", (job_id,))

    def requeue(self, job_id: str, *, forgive: bool = False) -> None:
        """A running job waits again; with `forgive`, this run does not count as an attempt."""
        with self._writing() as write:
            write(
                "UPDATE jobs SET attempts = attempts - ?, state = 'queued', started_at = NULL "
                "WHERE id = ? AND state = 'running'",
                (int(forgive), job_id),
            )

    def get(self, job_id: str) -> Record | None:
        if not job_id.isascii():  # a lone surrogate would break SQLite's encoding
            return None
        row = self._row("SELECT * FROM jobs WHERE id = ?", job_id)
        return None if row is None else self._record(row)

    def unfinished(self) -> list[Record]:
        """Queued and running jobs in the order in which they were accepted."""
        rows = self._rows("SELECT * FROM jobs WHERE state IN ('queued', 'running') ORDER BY seq")
        return [self._record(row) for row in rows]

    def page(
        self,
        owner: str | None,
        *,
        state: JobState | None,
        kind: str | None,
        limit: int,
        after: str | None,
    ) -> list[Record]:
        """Jobs of an owner, newest first, from the one that follows the job `after`."""
        rows = self._rows(
            "SELECT * FROM jobs WHERE owner IS ?1 AND (?2 IS NULL OR state = ?2) "
            "AND (?3 IS NULL OR kind = ?3) "
            "AND (?4 IS NULL OR seq < (SELECT seq FROM jobs WHERE id = ?4 AND owner IS ?1)) "
            "ORDER BY seq DESC LIMIT ?5",
            owner,
            state and state.value,
            kind,
            after,
            limit,
        )
        return [self._record(row) for row in rows]

    def kept(self, owner: str | None, kind: str | None, limit: int) -> list[Record]:
        """Succeeded jobs of an owner whose files are kept, newest first."""
        rows = self._rows(
            "SELECT * FROM jobs WHERE owner IS ?1 AND state = 'succeeded' AND NOT gone "
            "AND (?2 IS NULL OR kind = ?2) ORDER BY seq DESC LIMIT ?3",
            *(owner, kind, limit),
        )
        return [self._record(row) for row in rows]

    # Scenes.

    def keep_scene(self, job_id: str, scene: KeptScene) -> None:
        """Write down a finished scene; nothing if the job does not run any more."""
        with self._writing() as write:
            write(
                "INSERT OR REPLACE INTO scenes SELECT id, ?, ?, ?, ? FROM jobs "
                "WHERE id = ? AND state = 'running'",
                (
                    scene.number,
                    scene.recipe.model_dump_json(),
                    relative(scene.path, self._data_dir),
                    scene.draw_s,
                    job_id,
                ),
            )

    def scenes(self, job_id: str) -> list[KeptScene]:
        """The finished scenes of a job, in order; an image has one."""
        rows = self._rows("SELECT * FROM scenes WHERE job_id = ? ORDER BY number", job_id)
        return [self._scene(row) for row in rows]

    def pictures_like(self, owner: str | None, recipe: ImageRecipe) -> list[KeptScene]:
        """Pictures of an owner that were made exactly so, the latest first."""
        rows = self._rows(
            "SELECT scenes.* FROM scenes JOIN jobs ON jobs.id = scenes.job_id "
            "WHERE recipe = ? AND owner IS ? AND NOT gone ORDER BY seq DESC LIMIT ?",
            recipe.model_dump_json(),
            owner,
            _LIKE,
        )
        return [self._scene(row) for row in rows]

    def _scene(self, row: dict[str, Any]) -> KeptScene:
        recipe = ImageRecipe.model_validate_json(row["recipe"])
        return KeptScene(row["number"], recipe, self._data_dir / row["file"], row["draw_s"])

    # Retention and healing.

    def results(self) -> list[Kept]:
        """Ended jobs whose files are kept, oldest first."""
        rows = self._rows(
            f"SELECT id, bytes, finished_at FROM jobs WHERE state IN {_ENDED} AND {_FILES} "
            "ORDER BY finished_at, seq"
        )
        return [Kept(**row) for row in rows]

    def ids_with_files(self) -> set[str]:
        """Jobs that may have files: those that go on, and the ended ones that have kept some."""
        rows = self._rows(f"SELECT id FROM jobs WHERE {_FILES}")
        return {row["id"] for row in rows}

    def ids(self) -> set[str]:
        return {row["id"] for row in self._rows("SELECT id FROM jobs")}

    def mark_gone(self, job_ids: list[str]) -> None:
        """The files of these jobs are no longer kept."""
        with self._writing() as write:
            for job_id in job_ids:
                write("UPDATE jobs SET gone = 1, bytes = 0 WHERE id = ?", (job_id,))

    def forget_before(self, at: float) -> list[str]:
        """Remove all rows of jobs that ended before a time; returns their ids."""
        old = f"state IN {_ENDED} AND finished_at < ?"
        ids = [row["id"] for row in self._rows(f"SELECT id FROM jobs WHERE {old}", at)]
        if ids:
            with self._writing() as write:
                write(f"DELETE FROM jobs WHERE {old}", (at,))
        return ids

    # SQLite.

    def _begin(self) -> None:
        """Make an empty journal beside its name and move it there: it is never half made."""
        if self._path.with_name(f"{NAME}-wal").exists():  # it would be read into the new one
            raise self._unusable("is missing, while the log that belongs to it is there")
        new = self._path.with_suffix(".new")
        new.unlink(missing_ok=True)
        connection = sqlite3.connect(new)
        try:
            connection.executescript(f"PRAGMA journal_mode = MEMORY; {SCHEMA}")
            connection.execute("INSERT INTO meta VALUES (?)", (time.time(),))
            connection.commit()
        finally:
            connection.close()
        new.replace(self._path)
        sync_folder(self._data_dir)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        return connection

    def _inspect(self) -> int:
        """Look whether it is a sound journal that we can read; returns its version."""

        def pragma(name: str) -> Any:
            return self._writer.execute(f"PRAGMA {name}").fetchone()[0]

        if self._path.stat().st_size == 0 or pragma("application_id") != APPLICATION_ID:
            raise self._unusable("is not a journal of this program")
        version = pragma("user_version")
        if version > SCHEMA_VERSION:
            raise JournalUnusable(
                f"The journal {self._path} was written by a newer version of this program.",
                advice="Start that version, or give this one a folder of its own with --data-dir.",
            )
        # Not quick_check, which trusts the indices: a job must be found by its id too.
        if (found := pragma("integrity_check(1)")) != "ok":
            raise self._unusable(f"is damaged: {str(found).splitlines()[0]}")
        return int(version)

    def _upgrade(self, version: int) -> None:
        """Bring the tables of an earlier version into today's shape, all steps or none."""
        if version == SCHEMA_VERSION:
            return
        steps = "".join(STEPS[step] for step in range(version, SCHEMA_VERSION))
        done = f"PRAGMA user_version = {SCHEMA_VERSION};"
        try:
            self._writer.executescript(f"BEGIN IMMEDIATE; {steps} {done} COMMIT;")
        except sqlite3.Error:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise

    def _unusable(self, what: str) -> JournalUnusable:
        return JournalUnusable(
            f"The journal {self._path} {what}.",
            advice=f"Put a copy back, or move {NAME}* out of the way to begin a new one: "
            "finished files stay in the folder jobs.",
        )

    @contextmanager
    def _writing(self) -> Iterator[Any]:
        """One transaction: gives a function that runs a statement and counts the changed rows.

        Raises:
            StorageFull: it cannot be written; nothing of it is.
        """
        with self._write_lock:
            if self._closed:
                raise ShuttingDown()
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                try:
                    yield lambda sql, values: self._writer.execute(sql, values).rowcount
                    self._commit()
                except BaseException:
                    if self._writer.in_transaction:
                        self._writer.execute("ROLLBACK")
                    raise
            except sqlite3.Error as err:
                raise StorageFull(f"The journal cannot be written: {err}.") from err

    def _commit(self) -> None:
        self._writer.execute("COMMIT")

    def _rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        with self._read_lock:
            if self._closed:
                raise ShuttingDown()
            try:
                return [dict(row) for row in self._reader.execute(sql, values)]
            except sqlite3.Error as err:
                raise self._unusable(f"cannot be read: {err}") from err

    def _row(self, sql: str, *values: Any) -> Any:
        rows = self._rows(sql, *values)
        return rows[0] if rows else None

    def _record(self, row: dict[str, Any]) -> Record:
        try:
            return read_record(row, self._data_dir)
        except (ValueError, KeyError, TypeError, AttributeError) as err:
            raise self._unusable("is damaged: a job in it cannot be read") from err
