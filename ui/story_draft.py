"""What the browser keeps of the story that is being written: JSON text, there and back."""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.requests import SCENES_MAX, SCENES_MIN
from ui.storyboard import Board, SceneDraft, Source, Sources

_VERSION = 1
JobId = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
SceneNumber = Annotated[int, Field(ge=1, le=SCENES_MAX)]


class _Draft(BaseModel):
    model_config = ConfigDict(strict=True)

    version: Literal[1]
    form: list[str | int | float | None]
    scenes: Annotated[list[SceneDraft], Field(min_length=SCENES_MIN, max_length=SCENES_MAX)]
    pictures: list[tuple[int, JobId, SceneNumber]]
    job: JobId | None


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
        draft = _Draft.model_validate_json(text)  # type: ignore[arg-type]
    except (ValidationError, TypeError):  # it comes from the browser: anything may be in it
        return None
    board = tuple(draft.scenes)
    if len(draft.form) != fields or len({scene.id for scene in board}) != len(board):
        return None
    sources = {id_: Source(job_id, number) for id_, job_id, number in draft.pictures}
    return tuple(draft.form), board, sources, draft.job
