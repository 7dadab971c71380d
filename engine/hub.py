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
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled
from tqdm import tqdm

logger = logging.getLogger(__name__)

PROBE_S = 3.0
MODEL_INDEX = "model_index.json"
UNUSED_COMPONENTS = frozenset({"safety_checker", "feature_extractor", "image_encoder"})
_WEIGHT_SUFFIXES = (".safetensors", ".bin")
_PLAIN_STEMS = ("model", "diffusion_pytorch_model", "pytorch_model")

OnBytes = Callable[[int, int], None]


class HubUnreachable(Exception):
    """The hub did not answer, refused, or does not have what was asked for."""


@dataclass(frozen=True)
class RemoteFile:
    path: str
    size: int


def find_cached(repo_id: str) -> Path | None:
    """Find a complete snapshot of a pipeline in the local hub cache; no network.

    Raises:
        HubUnreachable: `repo_id` is not a valid hub id.
    """
    try:
        index = try_to_load_from_cache(repo_id, MODEL_INDEX)
    except HFValidationError as err:
        raise HubUnreachable("This is not a hub id of the form 'owner/name'.") from err
    if not isinstance(index, str):
        return None
    folder = Path(index).parent
    return None if missing_parts(folder) else folder


def missing_parts(folder: Path) -> list[str]:
    """Name what a pipeline folder lacks to be loaded; empty if it is complete.

    Raises:
        ValueError: `model_index.json` is not valid JSON.
        OSError: it cannot be read.
    """
    index = json.loads((folder / MODEL_INDEX).read_text("utf-8"))
    missing = []
    for name in _components(index):
        part = folder / name
        if not part.is_dir():
            missing.append(name)
        elif not (name == "scheduler" or name.startswith("tokenizer") or _has_weights(part)):
            missing.append(f"{name} weights")
    return missing


def _components(index: dict[str, Any]) -> list[str]:
    return [
        name
        for name, value in index.items()
        if isinstance(value, list) and value[:1] != [None] and name not in UNUSED_COMPONENTS
    ]


def _has_weights(part: Path) -> bool:
    for shards in part.glob("*.index.json"):
        names = set(json.loads(shards.read_text("utf-8"))["weight_map"].values())
        if all((part / name).is_file() for name in names):
            return True
    return any((part / f"{s}{x}").is_file() for s in _PLAIN_STEMS for x in _WEIGHT_SUFFIXES)


def choose_files(files: list[RemoteFile]) -> list[RemoteFile]:
    """Choose what to fetch: every config, and one set of plain weights a component.

    Safetensors where there are any, else `.bin`; variants such as `.fp16` are left out.
    """
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
        if len(path.parts) > 2 or path.parts[0] in UNUSED_COMPONENTS:
            continue
        is_config = path.suffix in {".json", ".txt"} and (
            len(path.parts) == 2 or path.name in {MODEL_INDEX, "storyreel.json"}
        )
        wanted = ".safetensors" if path.parent in safe else ".bin"
        if is_config or (len(path.parts) == 2 and _is_weight(file, wanted)):
            chosen.append(file)
    return chosen


def _is_weight(file: RemoteFile, suffix: str) -> bool:
    path = PurePosixPath(file.path)
    stem = path.stem.split("-0")[0]  # a shard is named model-00001-of-00002
    return path.suffix == suffix and stem in _PLAIN_STEMS


def download(repo_id: str, on_bytes: OnBytes) -> Path:
    """Fetch a pipeline into the hub cache and return its folder.

    Args:
        on_bytes: called with the bytes fetched so far and the bytes there are in all.

    Raises:
        HubUnreachable: with a message for people.
    """
    try:
        info = HfApi().model_info(repo_id, timeout=PROBE_S, files_metadata=True)
        files = choose_files([RemoteFile(s.rfilename, s.size or 0) for s in info.siblings or []])
        if not any(file.path == MODEL_INDEX for file in files):
            raise HubUnreachable("It is not a diffusers pipeline: it has no model_index.json.")
        total = sum(file.size for file in files)
        counter = _counter(on_bytes, total)
        folder = Path()
        for file in files:
            path = hf_hub_download(
                repo_id,
                file.path,
                revision=info.sha,
                etag_timeout=PROBE_S,
                tqdm_class=counter,
            )
            if file.path == MODEL_INDEX:
                folder = Path(path).parent
        _remember_main(folder)
    except (HfHubHTTPError, httpx.HTTPError, OfflineModeIsEnabled, HFValidationError) as err:
        raise HubUnreachable(_reason(err)) from err
    return folder


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
    return f"The hub did not answer ({type(err).__name__})."


def _counter(on_bytes: OnBytes, total: int) -> "type[tqdm[Any]]":
    """Make a progress bar class that draws nothing and adds up over all files."""
    done = 0

    class ByteCounter(tqdm):  # type: ignore[type-arg]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.pop("name", None)
            super().__init__(*args, **{**kwargs, "file": io.StringIO(), "disable": False})
            self.update(0)

        def update(self, n: float | None = 1) -> bool | None:
            nonlocal done
            done += int(n or 0)
            on_bytes(min(done, total), total)
            return None

    return ByteCounter
