"""Weights from the model hub: what the local cache holds, and fetching what it does not.

A hub that does not answer costs `PROBE_S` seconds, never a hang.
"""

import io
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import httpx
from huggingface_hub import HfApi, hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import (
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    XetDownloadError,
)
from tqdm import tqdm

logger = logging.getLogger(__name__)

PROBE_S = 3.0
MODEL_INDEX = "model_index.json"
COMPONENT_CONFIG = "config.json"
"""What stands at the top of a pipeline's folder, and of the folder of a component by itself."""
UNUSED_COMPONENTS = frozenset({"safety_checker", "feature_extractor", "image_encoder"})
_WEIGHT_SUFFIXES = (".safetensors", ".bin")
_SENTENCE_PIECES = ("spiece.model", "tokenizer.model")
_PLAIN_STEMS = ("model", "diffusion_pytorch_model", "pytorch_model")

OnBytes = Callable[[int, int], None]


class HubUnreachable(Exception):
    """The hub did not answer, refused, or does not have what was asked for."""


@dataclass(frozen=True)
class RemoteFile:
    path: str
    size: int


def find_cached(repo_id: str, top: str = MODEL_INDEX) -> Path | None:
    """Find a complete snapshot of a pipeline in the local hub cache; no network.

    Args:
        top: what is at its top; COMPONENT_CONFIG for a component by itself.

    Raises:
        HubUnreachable: `repo_id` is not a valid hub id.
    """
    try:
        index = try_to_load_from_cache(repo_id, top)
    except HFValidationError as err:
        raise HubUnreachable("This is not a hub id of the form 'owner/name'.") from err
    if not isinstance(index, str):
        return None
    folder = Path(index).parent
    try:
        missing = missing_parts(folder, top)
    except (OSError, ValueError) as err:
        logger.warning("%s in the local hub cache is broken: %s", repo_id, err)
        return None
    return None if missing else folder


def missing_parts(folder: Path, top: str = MODEL_INDEX) -> list[str]:
    """Name what the folder of a pipeline lacks to be loaded, or of a component by itself.

    Args:
        top: see `find_cached`.

    Returns:
        Nothing if it is complete.

    Raises:
        ValueError: the file at its top, or a list of shards, is not what it should be.
        OSError: it cannot be read.
    """
    index = read_object(folder / top)
    if top == COMPONENT_CONFIG:
        return [] if _has_weights(folder) else ["weights"]
    missing: list[str] = []
    for name in _components(index):
        missing += _missing_in(folder / name)
    return missing


def read_object(path: Path) -> dict[str, Any]:
    """Read a file that holds one JSON object.

    Raises:
        ValueError: it does not.
        OSError: it cannot be read.
    """
    content = json.loads(path.read_text("utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"{path.name} is not a JSON object")
    return content


def _components(index: dict[str, Any]) -> list[str]:
    return [
        name
        for name, value in index.items()
        if isinstance(value, list) and value[:1] != [None] and name not in UNUSED_COMPONENTS
    ]


def _missing_in(part: Path) -> list[str]:
    name = part.name
    if not part.is_dir():
        return [name]
    if name.startswith("tokenizer"):
        return [] if _has_words(part) or has_only_pieces(part) else [f"{name} words"]
    if not _has(part, f"{name}_config.json" if name == "scheduler" else "config.json"):
        return [f"{name} config"]
    return [] if name == "scheduler" or _has_weights(part) else [f"{name} weights"]


def _has_words(part: Path) -> bool:
    return _has(part, "tokenizer.json") or _has(part, "vocab.json")


def has_only_pieces(part: Path) -> bool:
    """Whether a tokenizer has its words as SentencePiece wrote them, and in no other form."""
    return not _has_words(part) and any(_has(part, name) for name in _SENTENCE_PIECES)


def _has(part: Path, name: str) -> bool:
    return (part / name).is_file()


def _has_weights(part: Path) -> bool:
    for shards in part.glob("*.index.json"):
        names = read_object(shards).get("weight_map", {})
        if (
            names
            and isinstance(names, dict)
            and all(_has(part, str(name)) for name in names.values())
        ):
            return True
    return any(
        _has(part, f"{stem}{suffix}") for stem in _PLAIN_STEMS for suffix in _WEIGHT_SUFFIXES
    )


def choose_files(files: list[RemoteFile], top: str = MODEL_INDEX) -> list[RemoteFile]:
    """Choose what to fetch: every config, and one set of plain weights a component.

    Safetensors where there are any, else `.bin`; variants such as `.fp16` are left out.

    Args:
        top: see `find_cached`.
    """
    depth = 1 if top == COMPONENT_CONFIG else 2
    folders = {PurePosixPath(file.path).parent for file in files}
    safe = {
        folder
        for folder in folders
        if any(_is_weight(f, ".safetensors") and PurePosixPath(f.path).parent == folder
               for f in files)
    }  # fmt: skip
    chosen = []
    for file in files:
        path = PurePosixPath(file.path)
        if len(path.parts) > depth or path.parts[0] in UNUSED_COMPONENTS:
            continue
        is_part = len(path.parts) == depth
        is_config = (path.suffix in {".json", ".txt"} or path.name in _SENTENCE_PIECES) and (
            is_part or path.name in {MODEL_INDEX, "storyreel.json"}
        )
        wanted = ".safetensors" if path.parent in safe else ".bin"
        if is_config or (is_part and _is_weight(file, wanted)):
            chosen.append(file)
    return chosen


def _is_weight(file: RemoteFile, suffix: str) -> bool:
    path = PurePosixPath(file.path)
    stem = path.stem.split("-0")[0]  # a shard is named model-00001-of-00002
    return path.suffix == suffix and stem in _PLAIN_STEMS


def download(repo_id: str, on_bytes: OnBytes, top: str = MODEL_INDEX) -> Path:
    """Fetch a pipeline into the hub cache and return its folder.

    Args:
        on_bytes: called with the bytes fetched so far and the bytes there are in all.
        top: see `find_cached`.

    Raises:
        HubUnreachable: with a message for people.
    """
    try:
        commit, files = _describe(repo_id, top)
        progress = _Progress(on_bytes, sum(file.size for file in files))
        folder = Path()
        for file in files:
            path = hf_hub_download(
                repo_id,
                file.path,
                revision=commit,
                etag_timeout=PROBE_S,
                tqdm_class=_counter(progress),
            )
            progress.finish(file)
            if file.path == top:
                folder = Path(path).parent
        _remember_main(folder)
    except (httpx.HTTPError, OSError, RuntimeError, XetDownloadError, HFValidationError) as err:
        raise HubUnreachable(_reason(err)) from err
    return folder


def _describe(repo_id: str, top: str) -> tuple[str, list[RemoteFile]]:
    """Ask the hub for the current commit and the files to fetch."""
    try:
        info = HfApi().model_info(repo_id, timeout=PROBE_S, files_metadata=True)
        there = [RemoteFile(s.rfilename, s.size or 0) for s in info.siblings or []]
        files = choose_files(there, top)
        commit = str(info.sha)
    except HFValidationError:
        raise
    except (ValueError, KeyError, TypeError) as err:  # such as the login page of a hotel's network
        raise HubUnreachable("What answered is not a model hub.") from err
    if not any(file.path == top for file in files):
        kind = "pipeline" if top == MODEL_INDEX else "component"
        raise HubUnreachable(f"It is not a diffusers {kind}: it has no {top}.")
    return commit, files


def _remember_main(folder: Path) -> None:
    # Files fetched by commit leave no "main" ref, which later look-ups without network follow.
    refs = folder.parents[1] / "refs"
    refs.mkdir(exist_ok=True)
    (refs / "main").write_text(folder.name, "utf-8")


def _reason(err: Exception) -> str:
    if isinstance(err, OfflineModeIsEnabled):
        return "The hub is switched off (HF_HUB_OFFLINE is set)."
    if isinstance(err, HFValidationError):
        return "This is not a hub id of the form 'owner/name'."
    if isinstance(err, HfHubHTTPError):
        return f"The hub answered {err.response.status_code}."
    if isinstance(err, OSError) and err.errno is not None:
        return f"The hub cache cannot be written: {err.strerror}."
    return f"The hub did not answer ({type(err).__name__})."


class _Progress:
    """Bytes over all files. A file that was cached already counts when it is finished."""

    def __init__(self, on_bytes: OnBytes, total: int) -> None:
        self._on_bytes = on_bytes
        self._total = total
        self._finished = 0
        self._done = 0

    def add(self, count: int) -> None:
        self._done += count
        self._on_bytes(min(self._done, self._total), self._total)

    def finish(self, file: RemoteFile) -> None:
        self._finished += file.size
        self.add(self._finished - self._done)


def _counter(progress: _Progress) -> "type[tqdm[Any]]":
    """Make a progress bar class that draws nothing."""

    class ByteCounter(tqdm):  # type: ignore[type-arg]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.pop("name", None)
            super().__init__(*args, **{**kwargs, "file": io.StringIO(), "disable": False})

        def update(self, n: float | None = 1) -> bool | None:
            progress.add(int(n or 0))
            return None

    return ByteCounter
