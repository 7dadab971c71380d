"""Errors as a person needs them: what happened, and what to do. The input is never repeated."""

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from engine.errors import EngineError, QueueFull
from engine.requests import SCENES_MAX, SCENES_MIN

LABELS = {
    "prompt": "Prompt",
    "negative_prompt": "Leave out",
    "num_inference_steps": "Steps",
    "guidance_scale": "Guidance",
    "seed": "Seed",
    "scene_seeds": "Seeds of the scenes",
    "width": "Size, width",
    "height": "Size, height",
    "format": "File format",
    "hero_description": "Hero",
    "scenes": "Scenes",
    "duration_per_scene": "Seconds per scene",
    "fps": "Frames a second",
    "scene_durations": "Seconds of the scenes",
    "transition_frames": "Transition frames",
    "transition": "Between scenes",
    "motion": "Camera",
    "captions": "Captions",
}


def explain_invalid(err: ValidationError, *, labels: dict[str, str] | None = None) -> list[str]:
    """Say for each fault which field it is in and what is allowed there.

    Args:
        labels: what the fields are called on the page; without, their own names are used.
    """
    faults = err.errors(include_url=False, include_context=False, include_input=False)
    return [_sentence(fault["loc"], _plain(fault), labels or {}) for fault in faults]


def _plain(fault: ErrorDetails) -> str:
    """pydantic counts items where a text is empty or a list too short; people do not."""
    if fault["type"] in {"too_short", "string_too_short"}:
        a_list = fault["loc"][-1:] == ("scenes",)
        return f"at least {SCENES_MIN} are needed" if a_list else "must not be blank"
    if fault["type"] == "too_long" and fault["loc"][-1:] == ("scenes",):
        return f"at most {SCENES_MAX} can be told"
    if fault["type"] in {"int_type", "float_type"}:
        return "must be a whole number" if fault["type"] == "int_type" else "must be a number"
    return fault["msg"]


def _sentence(loc: tuple[int | str, ...], msg: str, labels: dict[str, str]) -> str:
    text = msg.removeprefix("Value error, ").strip()
    for subject in ("Input should ", "String should "):
        text = f"must {text.removeprefix(subject)}" if text.startswith(subject) else text
    if not loc:
        return text[:1].upper() + text[1:] + "."
    field = str(loc[0])
    where = labels.get(field, field)
    if len(loc) > 1 and isinstance(loc[1], int):
        where = f"Scene {loc[1] + 1}" if labels else f"{field}[{loc[1]}]"
    return f"{where}: {text}."


def explain_refusal(refused: str, err: ValidationError | EngineError) -> tuple[str, str]:
    """What happened and what to do when something on the page is not taken.

    Args:
        refused: what to say first of values that are not allowed.
    """
    if isinstance(err, ValidationError):
        return refused, " ".join(explain_invalid(err, labels=LABELS))
    return explain_error(err)


def explain_error(err: EngineError) -> tuple[str, str]:
    """What happened and what to do, for people who do not read HTTP headers."""
    if isinstance(err, QueueFull):
        return err.message, f"Try again in about {err.retry_after_s} s; nothing you typed is lost."
    return err.message, err.advice
