"""What can go wrong with the files of a model, as one error."""

from collections.abc import Iterator
from contextlib import contextmanager
from pickle import UnpicklingError

from safetensors import SafetensorError

from engine.errors import ModelUnavailable

# What the libraries raise, between them, on files that are not what they should be.
_UNREADABLE = (
    *(OSError, ValueError, RuntimeError, LookupError, TypeError, AttributeError, ImportError),
    *(EOFError, UnpicklingError, SafetensorError),
)


@contextmanager
def telling_unreadable(what: str, remedy: str) -> Iterator[None]:
    """Turn whatever the libraries raise while reading files into one error.

    Raises:
        ModelUnavailable: the files are not what they should be.
    """
    try:
        yield
    except _UNREADABLE as err:
        raise ModelUnavailable(
            f"The {what}'s files could not be read ({type(err).__name__}): {_first_line(err)}",
            advice=remedy,
        ) from err


def _first_line(err: Exception) -> str:
    return (str(err).strip().splitlines() or [""])[0][:300]
