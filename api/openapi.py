"""Pieces of OpenAPI that FastAPI does not derive: files and headers in answers."""

from typing import Any


def binary(*media_types: str) -> dict[str, Any]:
    """The `content` of an answer that is a file of one of these types."""
    schema = {"type": "string", "format": "binary"}
    return {media_type: {"schema": schema} for media_type in media_types}


def header(kind: str, description: str) -> dict[str, Any]:
    """A header of an answer."""
    return {"schema": {"type": kind}, "description": description}
