"""Engine errors and bad input as HTTP answers. Input is never echoed.

Every error has one form, `ErrorBody`. The statuses of the engine's errors stand here, once.
"""

import difflib
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from engine import ImageRequest, VideoRequest, errors

_STATUS: dict[type[errors.EngineError], int] = {
    errors.InvalidRequest: 422,
    errors.NotAccepted: 503,
    errors.KeyReused: 409,
    errors.JobNotFound: 404,
    errors.NotEnded: 409,
    errors.ResultGone: 410,
    errors.JobCancelled: 409,
    errors.DeadlinePassed: 504,
    errors.Interrupted: 500,
    errors.DeviceOutOfMemory: 507,
    errors.StorageFull: 507,
    errors.EngineError: 500,
}
_FIELDS = sorted({*ImageRequest.model_fields, *VideoRequest.model_fields, "return_base64"})
_LONGEST_NAME = 60
_ERRORS_TOLD = 20


class FieldError(BaseModel):
    """What is wrong with one field of a request."""

    field: str = Field(examples=["num_inference_steps"])
    message: str = Field(examples=["Input should be less than or equal to 50"])


class ErrorBody(BaseModel):
    """Every error of this service."""

    code: str = Field(examples=["queue_full"], description="For programs; stable.")
    detail: str = Field(description="What happened.")
    advice: str = Field(description="What to do.")
    errors: list[FieldError] = Field(default=[], description="For 422: each field that is wrong.")


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer these statuses, for OpenAPI.

    What stands before all routes may answer 401, 403 and 413.
    """
    meaning = {
        400: "The body is not readable JSON; or, as plain text, the Host header is not known.",
        401: "The service has keys, and none or a wrong one was shown.",
        403: "A page of another origin sent this through a browser; never for GET.",
        404: "There is no such job, or it is somebody else's.",
        409: "The work was cancelled; it has not ended; or the key belongs to another request.",
        410: "The files of this job are no longer kept.",
        413: "The body is too large for this route.",
        422: "A field is missing, unknown, of the wrong type or out of range.",
        500: "The model or the encoder failed.",
        503: "The queue is full, the model is not available, or the service is stopping.",
        504: "The deadline has passed.",
        507: "The device's memory or the disk is full.",
    }
    told = sorted({401, 403, 413, *statuses})
    return {status: {"model": ErrorBody, "description": meaning[status]} for status in told}


def handle_errors(app: FastAPI) -> None:
    """Answer every error of this app in one form."""
    app.add_exception_handler(errors.EngineError, _engine_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)


def status_of(error: errors.EngineError) -> int:
    """The status of an engine error: its own class's or the nearest parent's."""
    return next(_STATUS[cls] for cls in type(error).__mro__ if cls in _STATUS)


def _answer(status: int, body: ErrorBody, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(body.model_dump(), status, headers)


async def _engine_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, errors.EngineError)
    headers = {}
    if isinstance(error, errors.QueueFull):
        headers["Retry-After"] = str(error.retry_after_s)
    body = ErrorBody(code=error.code, detail=error.message, advice=error.advice)
    return _answer(status_of(error), body, headers)


async def _validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = [_field_error(item) for item in error.errors()[:_ERRORS_TOLD]]
    body = ErrorBody(
        code="invalid_request",
        detail="; ".join(f"{item.field}: {item.message}" for item in found[:5]),
        advice="Correct the fields named in errors; /docs shows what each allows.",
        errors=found,
    )
    return _answer(422, body)


def _field_error(item: dict[str, Any]) -> FieldError:
    if item["type"] == "json_invalid":
        return FieldError(field="body", message="is not valid JSON")
    path = item["loc"][1:] or ("body",)
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        close = difflib.get_close_matches(str(path[-1])[:_LONGEST_NAME], _FIELDS, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        message = f"There is no such field{hint}"
    return FieldError(field=_name(path), message=message)


def _name(path: Sequence[str | int]) -> str:
    """Name a field as the caller wrote it, cut and cleaned of what JSON cannot carry."""
    name = ".".join(str(part)[:_LONGEST_NAME] for part in path)
    return name.encode("utf-8", "replace").decode("utf-8")


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    advice = {
        404: "The routes are listed at /docs.",
        405: "The routes and their methods are listed at /docs.",
    }.get(error.status_code, "Check the request; the routes are described at /docs.")
    # 413 is put into words by body_limits, whoever answers it.
    code = {404: "not_found", 405: "method_not_allowed"}
    body = ErrorBody(
        code=code.get(error.status_code, "bad_request"), detail=str(error.detail), advice=advice
    )
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_methods(request))
    return _answer(error.status_code, body, headers)


def _methods(request: Request) -> list[str]:
    """What the asked path answers to, all its routes together: the router names the first only."""
    asked = request.scope.get("route")
    routes = (r for r in iter_route_contexts(request.app.routes) if asked and r.path == asked.path)
    return sorted({method for route in routes for method in route.methods or ()})
