"""Brings a run from one machine to another in files that are small enough to travel.

What travels is what later stages need: tokenizer, autoencoder, text encoder and the U-Net's
averaged weights, in fp16. Optimizers stay behind; a run that goes on elsewhere warms up afresh.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch

from training.autoencoder import CHECKPOINT as AUTOENCODER
from training.checkpoint import read_checkpoint, write_atomically
from training.diffusion import CHECKPOINT as DIFFUSION
from training.reading import CHECKPOINT as READING

PIECE_BYTES = 15 * 2**20
NAME = "run.{:02d}"


def _cast(state: Any, dtype: torch.dtype) -> Any:
    """Return nested checkpoints with every float tensor in that type."""
    if isinstance(state, torch.Tensor):
        return state.to(dtype) if state.is_floating_point() else state
    if isinstance(state, dict):
        return {name: _cast(value, dtype) for name, value in state.items()}
    return state


def pack_run(run_dir: Path, folder: Path) -> list[Path]:
    """Write the run's pieces into `folder`, each at most PIECE_BYTES.

    Raises:
        FileNotFoundError: The run has no checkpoint yet.
    """
    tokenizer = run_dir / "tokenizer"
    files = {p.name: p.read_text() for p in sorted(tokenizer.glob("*.json"))}
    packed: dict[str, Any] = {"tokenizer": files}
    for name in (AUTOENCODER, READING, DIFFUSION):
        if (saved := read_checkpoint(run_dir / name)) is not None:
            kept = {k: v for k, v in saved.items() if k not in ("optimizer", "optimizers")}
            if "average" in kept:
                kept["unet"] = {}
            packed[name] = _cast(kept, torch.float16)
    if len(packed) == 1:
        raise FileNotFoundError(f"nothing to pack in {run_dir}")
    stream = io.BytesIO()
    torch.save(packed, stream)
    data = stream.getvalue()
    folder.mkdir(parents=True, exist_ok=True)
    pieces = []
    for number, start in enumerate(range(0, len(data), PIECE_BYTES)):
        pieces.append(folder / NAME.format(number))
        pieces[-1].write_bytes(data[start : start + PIECE_BYTES])
    return pieces


def unpack_run(folder: Path, run_dir: Path) -> None:
    """Put the pieces in `folder` together and write the run's checkpoints.

    Raises:
        FileNotFoundError: There are no pieces.
    """
    pieces = sorted(folder.glob(NAME.replace("{:02d}", "[0-9][0-9]")))
    if not pieces:
        raise FileNotFoundError(f"no {NAME.format(0)} in {folder}")
    data = b"".join(piece.read_bytes() for piece in pieces)
    packed = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    tokenizer = run_dir / "tokenizer"
    tokenizer.mkdir(parents=True, exist_ok=True)
    for name, text in packed.pop("tokenizer").items():
        (tokenizer / name).write_text(text)
    for name, state in packed.items():
        whole = _cast(state, torch.float32)
        if name == DIFFUSION:
            whole["unet"] = whole["average"]
        write_atomically(run_dir / name, whole)
