"""Loading pipeline folders, and drawing small pictures with them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.choice import ModelChoice, choose_decoder
from engine.jobs import CancelToken
from engine.models import LoadedModel, load_model
from engine.requests import ImageTask
from engine.rows import Order, Picture
from engine.sampler import Sampler
from engine.settings import Settings


def make_settings(**changes: object) -> Settings:
    return Settings.model_validate({"dtype": "float32", "device": "cpu", **changes})


def load(folder: Path, **settings: object) -> LoadedModel:
    """Load a folder on the CPU, in float32 unless told otherwise."""
    choice, wanted = ModelChoice(folder, "tiny", "local", "test"), make_settings(**settings)
    return load_model(choice, wanted, choose_decoder(wanted, lambda done, total: None))


def rewrite(path: Path, **changes: object) -> None:
    """Change values of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def make_task(**changes: Any) -> ImageTask:
    return replace(ImageTask("a cat on a mat", "", 10, 7.5, 3, 64, 64), **changes)


def generate(model: LoadedModel, task: ImageTask) -> Picture:
    return Sampler(model).generate(Order(task, CancelToken(), lambda step: None))
