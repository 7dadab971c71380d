"""Which weights serve: a folder, what the local hub cache holds, or the hub. Loads nothing.

What the user named never falls back to anything else; `auto` says in `reason` why it took what it
took.
"""

from dataclasses import dataclass
from pathlib import Path

from engine import hub
from engine.errors import ModelUnavailable
from engine.settings import Settings

DEFAULT_HUB_MODEL = "segmind/tiny-sd"
BUNDLED = Path(__file__).parent / "bundled"
MODEL_REMEDY = (
    "Correct --model: a hub id, a folder in diffusers layout, 'bundled' or 'auto'; "
    "or fetch the model once while online. Then start again."
)
DECODER_REMEDY = (
    "Correct --decoder: the hub id or the folder of an AutoencoderTiny that was made for the "
    "model; or fetch it once while online; or leave it out. Then start again."
)


@dataclass(frozen=True)
class ModelChoice:
    """A model, or a decoder, that was decided on, not yet loaded."""

    folder: Path
    name: str
    revision: str
    reason: str

    @property
    def is_bundled(self) -> bool:
        return self.folder == BUNDLED


@dataclass(frozen=True)
class _Kind:
    """What a setting names."""

    setting: str
    top: str
    """The file at the top of its folder."""
    remedy: str


_MODEL = _Kind("model", hub.MODEL_INDEX, MODEL_REMEDY)
_DECODER = _Kind("decoder", hub.COMPONENT_CONFIG, DECODER_REMEDY)


def choose_model(settings: Settings, on_bytes: hub.OnBytes) -> ModelChoice:
    """Decide which model to load; a hub id that is not cached is fetched here.

    Raises:
        ModelUnavailable: the model asked for is not there and cannot be had.
    """
    if settings.model == "auto":
        return _choose_auto()
    if settings.model == "bundled":
        return bundled("asked for with --model bundled")
    return _find(settings.model, _MODEL, on_bytes)


def choose_decoder(settings: Settings, on_bytes: hub.OnBytes) -> ModelChoice | None:
    """Decide what decodes instead of the model's own decoder; None where that is to do it.

    Raises:
        ModelUnavailable: the decoder asked for is not there and cannot be had.
    """
    return None if settings.decoder is None else _find(settings.decoder, _DECODER, on_bytes)


def bundled(reason: str) -> ModelChoice:
    """The model that ships with the project."""
    return ModelChoice(BUNDLED, "bundled", "local", reason)


def _choose_auto() -> ModelChoice:
    folder = hub.find_cached(DEFAULT_HUB_MODEL)
    if folder is None:
        return bundled(f"auto: {DEFAULT_HUB_MODEL} is not in the local hub cache")
    reason = "auto: found in the local hub cache"
    return ModelChoice(folder, DEFAULT_HUB_MODEL, folder.name, reason)


def _find(name: str, kind: _Kind, on_bytes: hub.OnBytes) -> ModelChoice:
    """Find what the user named; a hub id that is not cached is fetched."""
    flag = f"--{kind.setting}"
    path = Path(name).expanduser()
    if path.is_dir():
        return ModelChoice(path, path.resolve().name, "local", f"a folder named with {flag}")
    if name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise ModelUnavailable(f"The folder given with {flag} does not exist.", advice=kind.remedy)
    try:
        folder = hub.find_cached(name, kind.top)
        reason = f"named with {flag}, found in the local hub cache"
        if folder is None:
            folder = hub.download(name, on_bytes, kind.top)
            reason = f"named with {flag}, fetched from the hub"
    except hub.HubUnreachable as err:
        raise ModelUnavailable(
            f"The {kind.setting} is not in the local hub cache and could not be fetched. {err}",
            advice=kind.remedy,
        ) from err
    return ModelChoice(folder, name, folder.name, reason)
