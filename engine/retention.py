"""How long results are kept: by age, and by the size of all of them together."""

import logging
from dataclasses import dataclass

from engine.journal import Journal
from engine.store import Store

logger = logging.getLogger(__name__)

_ROWS_KEPT = 4
_GRACE_S = 600


@dataclass(frozen=True)
class Limits:
    """How long, and how many bytes."""

    keep_s: float
    keep_bytes: float


def retain(journal: Journal, store: Store, limits: Limits, now: float) -> None:
    """Remove the files of results that are too old or too many, oldest first.

    Their rows stay, so that what is gone can be told from what never was, for four times as
    long. Whatever ended in the last ten minutes is spared by the limit of size: somebody may
    be about to fetch it.

    Raises:
        StorageFull: the journal cannot be written.
    """
    results = journal.results()
    size = sum(result.bytes for result in results)
    gone = []
    for result in results:
        age_s = now - result.finished_at
        too_much = size > limits.keep_bytes and age_s > _GRACE_S
        if age_s > limits.keep_s or too_much:
            size -= result.bytes
            gone.append(result.id)
    if gone:
        journal.mark_gone(gone)
        logger.info("%d result(s) no longer kept", len(gone))
    forgotten = journal.forget_before(now - _ROWS_KEPT * limits.keep_s)
    for job_id in [*gone, *forgotten]:
        store.discard(job_id)
