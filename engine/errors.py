"""Everything that can go wrong in the engine, as one tree.

EngineError
├── CannotStart           the data folder is not to be used as it is
│   ├── DataFolderInUse     another process works in it
│   └── JournalUnusable     its journal is damaged, newer than this program, or not ours
├── InvalidRequest        the request can never work, whatever the state of the service
├── NotAccepted           the request is fine, but no job was made
│   ├── QueueFull           too many tasks wait already
│   ├── ModelUnavailable    the model is missing, corrupt or out of reach
│   ├── KeyReused           the idempotency key belongs to another request
│   └── ShuttingDown        the process is about to end
├── JobNotFound           no job with this id (for this owner)
├── NotEnded              the job is still under way
├── ResultGone            the job succeeded, but its file is no longer kept
└── JobStopped            an accepted job ended without a result
    ├── JobCancelled        somebody asked for it
    ├── DeadlinePassed      the time it was given has passed
    ├── Interrupted         the process died twice while it ran
    ├── DeviceOutOfMemory   the picture does not fit the device
    ├── StorageFull         the data folder takes no more
    ├── BadOutput           the model gave NaN instead of a picture
    ├── EncoderFailed       ffmpeg died
    └── InternalError       a defect of ours; the log has the traceback

Every error has a stable machine-readable `code`, a message that says what happened,
and `advice` that says what to do. No message repeats the caller's text.
"""

from typing import Self


class EngineError(Exception):
    """Base of all errors the engine raises on purpose."""

    code = "engine_error"
    advice = ""

    def __init__(self, message: str, *, advice: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if advice is not None:
            self.advice = advice

    def without_frames(self) -> Self:
        """Drop the traceback and the causes: kept with a job, they would keep tensors alive."""
        self.__cause__ = self.__context__ = None
        return self.with_traceback(None)


class CannotStart(EngineError):
    code = "cannot_start"


class DataFolderInUse(CannotStart):
    code = "data_folder_in_use"
    advice = "Stop the other process, or give this one a folder of its own with --data-dir."


class JournalUnusable(CannotStart):
    code = "journal_unusable"


class InvalidRequest(EngineError):
    code = "invalid_request"


class NotAccepted(EngineError):
    code = "not_accepted"


class QueueFull(NotAccepted):
    """Raised by `Engine.submit`; `retry_after_s` comes from the measured estimate."""

    code = "queue_full"
    advice = "Try again after the time in Retry-After."

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ModelUnavailable(NotAccepted):
    code = "model_unavailable"


class KeyReused(NotAccepted):
    code = "key_reused"
    advice = "Send another request with another Idempotency-Key."


class ShuttingDown(NotAccepted):
    code = "shutting_down"
    advice = "Send the request again once the service is back."

    def __init__(self, message: str = "The service is shutting down.") -> None:
        super().__init__(message)


class JobNotFound(EngineError):
    code = "job_not_found"
    advice = "Check the id; ended jobs are forgotten a while after --keep-days."


class NotEnded(EngineError):
    code = "not_ended"
    advice = "Wait for the job, or follow its events."


class ResultGone(EngineError):
    code = "result_gone"
    advice = "Make it again: the same seed gives the same picture."


class JobStopped(EngineError):
    code = "job_stopped"


class JobCancelled(JobStopped):
    code = "cancelled"
    advice = "Submit the request again if you still want it."


class DeadlinePassed(JobStopped):
    code = "deadline_passed"
    advice = "Allow more time, or ask for fewer steps or a smaller size."


class Interrupted(JobStopped):
    code = "interrupted"
    advice = "Try a smaller size; if it stays, please report it with the log."


class DeviceOutOfMemory(JobStopped):
    code = "out_of_memory"
    advice = "Ask for a smaller width and height, or start the service with --offload."


class StorageFull(JobStopped):
    code = "storage_full"
    advice = "Free space on the disk that holds --data-dir, then try again."


class BadOutput(JobStopped):
    code = "bad_output"
    advice = "Try another seed or lower guidance; if it stays, start with --dtype float32."


class EncoderFailed(JobStopped):
    code = "encoder_failed"
    advice = "Try again; if it stays, please report the message with the job id."


class InternalError(JobStopped):
    code = "internal_error"
    advice = "The log has the details; please report it with the job id."


def restored(code: str, message: str, advice: str) -> EngineError:
    """Make an error again from what was written down of it."""
    known = {cls.code: cls for cls in _tree(EngineError)}
    error = EngineError.__new__(known.get(code, InternalError))
    EngineError.__init__(error, message, advice=advice)
    return error


def _tree(cls: type[EngineError]) -> list[type[EngineError]]:
    return [cls] + [found for child in cls.__subclasses__() for found in _tree(child)]
