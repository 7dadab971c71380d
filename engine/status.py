"""What the engine is and does, as it is told to the faces."""

import importlib.metadata
from dataclasses import dataclass, field
from typing import Literal

from engine.errors import ModelUnavailable
from engine.metadata import ModelFacts


@dataclass(frozen=True)
class Download:
    """Weights on their way from the hub, in bytes."""

    repo_id: str
    done: int = 0
    total: int = 0
    note: str = ""


@dataclass(frozen=True)
class Readiness:
    """Shapes in use whose program is as fast as it gets, and those that are not compiled yet."""

    ready: int = 0
    pending: int = 0


@dataclass(frozen=True)
class EngineStatus:
    """What the engine is and does right now."""

    model_state: Literal["loading", "ready", "unavailable"]
    device: str
    """The device in use; "pending" until it is known."""
    facts: ModelFacts | None = None
    problem: ModelUnavailable | None = None
    download: Download | None = None
    waiting_tasks: int = 0
    running: bool = False
    measured_s: dict[str, float] = field(default_factory=dict)
    """Median seconds of a unit of work, by kind."""
    device_memory_bytes: int | None = None
    """What torch holds on the device; None on a CPU."""
    programs: Readiness | None = None
    """None where the model runs as it is."""
    versions: dict[str, str] = field(default_factory=dict)


def versions() -> dict[str, str]:
    """The installed versions of what the pictures and the page depend on."""
    names = ("torch", "diffusers", "transformers", "gradio", "fastapi")
    return {name: importlib.metadata.version(name) for name in names}
