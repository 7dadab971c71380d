"""Pieces of OpenAPI that FastAPI does not derive: files and headers in answers."""

from typing import Any

from pydantic import BaseModel

EVENTS = "text/event-stream"


def binary(*media_types: str) -> dict[str, Any]:
    """The `content` of an answer that is a file of one of these types."""
    schema = {"type": "string", "format": "binary"}
    return {media_type: {"schema": schema} for media_type in media_types}


def events_of(*models: type[BaseModel]) -> dict[str, Any]:
    """The `content` of an answer that is a stream of events, whose data are one of these models."""
    data = {"type": "string", "contentMediaType": "application/json"}
    told = {"anyOf": [_schema_of(model) for model in models]}
    event = {"event": {"type": "string"}, "id": {"type": "string"}, "retry": {"type": "integer"}}
    properties = {**event, "data": {**data, "contentSchema": told}}
    item = {"type": "object", "properties": properties, "required": ["event", "data"]}
    return {EVENTS: {"itemSchema": item}}


def _schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of a model whose parts stand among the document's components already."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return schema


def as_json(responses: dict[int | str, dict[str, Any]]) -> dict[int | str, dict[str, Any]]:
    """Errors of a route whose good answer is no JSON; FastAPI would name its type for all."""
    return {
        status: {"description": told["description"], "content": _json_of(told["model"])}
        for status, told in responses.items()
    }


def _json_of(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}


def header(kind: str, description: str) -> dict[str, Any]:
    """A header of an answer."""
    return {"schema": {"type": kind}, "description": description}
