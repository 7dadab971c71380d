"""What the browser keeps of the story that is being written: plain JSON, there and back."""

from typing import Any

from ui.storyboard import Board, SceneDraft, Source, Sources

STORAGE_KEY = "storyreel-story"
_VERSION = 1


def write_draft(
    form: tuple[Any, ...], board: Board, sources: Sources, job_id: str | None
) -> dict[str, Any]:
    """Put what stands on the tab into JSON."""
    scenes = [vars(draft) for draft in board]
    pictures = [[id_, source.job_id, source.number] for id_, source in sources.items()]
    return {
        "version": _VERSION,
        "form": list(form),
        "scenes": scenes,
        "pictures": pictures,
        "job": job_id,
    }


def read_draft(
    draft: Any, fields: int
) -> tuple[tuple[Any, ...], Board, Sources, str | None] | None:
    """Read what `write_draft` wrote; None where there is nothing, or what another version wrote.

    Args:
        fields: how many the form has.
    """
    try:
        if draft["version"] != _VERSION or len(draft["form"]) != fields:
            return None
        board = tuple(SceneDraft(**scene) for scene in draft["scenes"])
        sources = {id_: Source(job_id, number) for id_, job_id, number in draft["pictures"]}
        return tuple(draft["form"]), board, sources, draft["job"]
    except (KeyError, TypeError, ValueError):  # it comes from the browser: anything may be in it
        return None
