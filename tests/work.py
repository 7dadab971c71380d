"""Small requests, and waiting for what an engine does with them."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine import Engine, ImageRequest, VideoRequest

SMALL: dict[str, Any] = {"width": 64, "height": 64, "num_inference_steps": 10}


def image(prompt: str = "a cat", **changes: Any) -> ImageRequest:
    return ImageRequest(**{"prompt": prompt, **SMALL, **changes})


def story(scenes: int = 2, **changes: Any) -> VideoRequest:
    short = {"fps": 10, "duration_per_scene": 0.3, "transition_frames": 2}
    return VideoRequest(**{"scenes": ["a scene"] * scenes, **SMALL, **short, **changes})


def until(condition: Callable[[], bool], limit_s: float = 30) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.002)


def ready(engine: Engine) -> Engine:
    until(lambda: engine.status().model_state != "loading")
    assert engine.status().model_state == "ready"
    return engine


def files(engine: Engine) -> list[Path]:
    """What stands in the folder of finished and half-written files."""
    return [path for path in (engine.settings.data_dir / "jobs").rglob("*") if path.is_file()]
