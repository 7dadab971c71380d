"""What is done at start, before anything new is accepted: go on where the last process stopped.

A job that was under way when a process died is tried once more, with nothing beside it (see
`Worker.start`): if that process dies too, the job is why.
"""

import logging
import time

from engine.errors import DeadlinePassed, EngineError, Interrupted
from engine.journal import Journal
from engine.recorder import caller_gone
from engine.records import Record
from engine.snapshots import JobState
from engine.store import Store

logger = logging.getLogger(__name__)

_ATTEMPTS = 2
_DAY_S = 24 * 3600


def recover(journal: Journal, store: Store, now: float) -> list[Record]:
    """Decide about every job that had not ended; returns those to run, in their old order.

    Raises:
        StorageFull: the journal cannot be written.
    """
    going_on = []
    for record in journal.unfinished():
        job_id = record.snapshot.id
        error = _why_not(record, now)
        if error is not None:
            cancelled = record.terms.attended
            state = JobState.CANCELLED if cancelled else JobState.FAILED
            kept = record.terms.keep_scenes(record.snapshot.kind)
            journal.end(job_id, state, now, error, store.size(job_id) if kept else 0)
            logger.warning("job %s: not run again: %s", job_id, error.message)
            continue
        if record.snapshot.state is JobState.RUNNING:
            journal.requeue(job_id)
            logger.warning("job %s: interrupted by the end of its process; queued again", job_id)
        again = journal.get(job_id)
        assert again is not None
        going_on.append(again)
    return going_on


def _why_not(record: Record, now: float) -> EngineError | None:
    terms, snapshot = record.terms, record.snapshot
    if terms.attended:
        return caller_gone()
    if terms.deadline_s is not None and snapshot.created_at + terms.deadline_s <= now:
        return DeadlinePassed("The time given to this job passed while the service was down.")
    if snapshot.state is JobState.RUNNING and record.attempts >= _ATTEMPTS:
        return Interrupted(f"The process died while this was made, {record.attempts} times.")
    return None


def heal(journal: Journal, store: Store, keep_s: float) -> None:
    """Bring journal and files in line, each thing done being logged.

    A folder that no row names is removed a day after it last changed; one that is older than
    the journal itself, `keep_s` after: there may have been another journal before.
    """
    if parts := store.clear_parts():
        logger.warning("%d half-written file(s) removed", parts)
    lost = []
    for kept in journal.results():
        record = journal.get(kept.id)
        if record is not None and not _has_files(record, store):
            lost.append(kept.id)
            logger.warning("job %s: its files are no longer there", kept.id)
    journal.mark_gone(lost)
    known, with_files = journal.ids(), journal.ids_with_files()
    for job_id, changed_at in store.folders().items():
        age_s = time.time() - changed_at
        orphan = job_id not in known
        wait_s = _DAY_S if changed_at >= journal.born_at else max(_DAY_S, keep_s)
        if (age_s > wait_s) if orphan else (job_id not in with_files):
            store.discard(job_id)
            logger.warning("job %s: leftover files removed", job_id)


def _has_files(record: Record, store: Store) -> bool:
    if record.result is not None:
        return record.result.path.is_file()
    return store.size(record.snapshot.id) > 0
