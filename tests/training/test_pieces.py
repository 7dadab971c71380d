"""A run that travels in pieces arrives whole, and goes on."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from training import pieces
from training.__main__ import main
from training.checkpoint import read_checkpoint
from training.export import build_pipeline
from training.pieces import pack_run, unpack_run
from training.presets import PRESETS

SMOKE = PRESETS["smoke"]


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    threads = torch.get_num_threads()
    stages = ["autoencoder", "tokenizer", "reading", "latents", "diffusion"]
    main(["--preset", "smoke", "--run-dir", str(folder), *stages])
    torch.set_num_threads(threads)
    return folder


def test_what_arrives_draws_the_same(
    run_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "PIECE_BYTES", 100_000)
    written = pack_run(run_dir, tmp_path / "pieces")
    assert len(written) > 2
    assert all(piece.stat().st_size <= 100_000 for piece in written)
    unpack_run(tmp_path / "pieces", tmp_path / "arrived")
    ours, theirs = (build_pipeline(SMOKE, folder) for folder in (run_dir, tmp_path / "arrived"))
    for part in ("vae", "unet", "text_encoder"):
        first, second = (getattr(pipeline, part).state_dict() for pipeline in (ours, theirs))
        for name, weight in first.items():
            torch.testing.assert_close(second[name], weight, rtol=2e-3, atol=1e-4)


def test_a_run_goes_on_where_it_arrived(run_dir: Path, tmp_path: Path) -> None:
    pack_run(run_dir, tmp_path / "pieces")
    unpack_run(tmp_path / "pieces", tmp_path / "arrived")
    saved = read_checkpoint(tmp_path / "arrived" / "diffusion.pt")
    assert saved is not None
    assert saved["step"] == SMOKE.diffusion_budget.steps
    main(["--preset", "smoke", "--run-dir", str(tmp_path / "arrived"), "diffusion"])


def test_nothing_to_pack_or_unpack_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nothing to pack"):
        pack_run(tmp_path, tmp_path / "pieces")
    with pytest.raises(FileNotFoundError, match=r"run\.00"):
        unpack_run(tmp_path, tmp_path / "arrived")


def test_a_finished_model_can_learn_on(run_dir: Path, tmp_path: Path) -> None:
    model, again = tmp_path / "model", tmp_path / "again"
    main(["--preset", "smoke", "--run-dir", str(run_dir), "--target", str(model), "export"])
    stages = ["autoencoder", "reading", "latents", "diffusion", "export"]
    more = ["--run-dir", str(again), "--target", str(tmp_path / "more"), *stages]
    main(["--preset", "smoke", "--start-from", str(model), *more])
    first, second = (
        load_file(folder / "text_encoder" / "model.safetensors")
        for folder in (model, tmp_path / "more")
    )
    for name, weight in first.items():
        torch.testing.assert_close(second[name], weight)
    saved = read_checkpoint(again / "diffusion.pt")
    assert saved is not None
    assert saved["step"] == SMOKE.diffusion_budget.steps
    with pytest.raises(FileExistsError, match="has begun"):
        main(["--preset", "smoke", "--start-from", str(model), "--run-dir", str(again)])
