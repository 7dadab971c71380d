"""What the measurements are held against, each beside the number that decides it."""

from typing import Any, Literal

State = Literal["met", "missed", "unmeasured"]


def judge(
    what: str, value: float | None, *, at_most: float | None = None, at_least: float | None = None
) -> dict[str, Any]:
    """Hold a value, None where it was not measured, against one limit."""
    if (at_most is None) == (at_least is None):
        raise ValueError("a target has one limit")
    return {
        "what": what,
        "value": value,
        "limit": at_most if at_least is None else at_least,
        "is": "at most" if at_least is None else "at least",
        "state": _state(value, at_most, at_least),
    }


def judge_on(
    wanted: str, device: str, what: str, value: float | None, **limit: float
) -> dict[str, Any]:
    """The same for a target of one kind of device: unmeasured on every other."""
    return judge(what, value if device == wanted else None, **limit)


def _state(value: float | None, at_most: float | None, at_least: float | None) -> State:
    if value is None:
        return "unmeasured"
    kept = value <= at_most if at_most is not None else value >= (at_least or 0.0)
    return "met" if kept else "missed"


def line(target: dict[str, Any]) -> str:
    """One target for people to read."""
    value = "-" if target["value"] is None else f"{target['value']:.4g}"
    return (
        f"{target['state']:<10} {value:>8} ({target['is']} {target['limit']:g})  {target['what']}"
    )
