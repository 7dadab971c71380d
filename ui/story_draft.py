"""What the browser keeps of the story that is being written: JSON text, there and back."""

import json
from typing import Any

from ui.storyboard import Board, SceneDraft, Source, Sources

_VERSION = 1


def write_draft(form: tuple[Any, ...], board: Board, sources: Sources, job_id: str | None) -> str:
    """Put what stands on the tab into text."""
    scenes = [vars(draft) for draft in board]
    pictures = [[id_, source.job_id, source.number] for id_, source in sources.items()]
    draft = {"form": form, "scenes": scenes, "pictures": pictures, "job": job_id}
    return json.dumps({"version": _VERSION, **draft})


def read_draft(
    text: object, fields: int
) -> tuple[tuple[Any, ...], Board, Sources, str | None] | None:
    """Read what `write_draft` wrote; None where there is nothing, or what another version wrote.

    Args:
        fields: how many the form has.
    """
    try:
        draft = json.loads(text)  # type: ignore[arg-type]
        if draft["version"] != _VERSION or len(draft["form"]) != fields:
            return None
        board = tuple(SceneDraft(**scene) for scene in draft["scenes"])
        sources = {id_: Source(job_id, number) for id_, job_id, number in draft["pictures"]}
        return tuple(draft["form"]), board, sources, draft["job"]
    except (
        KeyError,
        TypeError,
        ValueError,
        RecursionError,
    ):  # it comes from the browser: anything may be in it
        return None
