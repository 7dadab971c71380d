"""Checkpoints are whole or absent, and the clock follows the budget."""

from pathlib import Path

import pytest
import torch

from training.checkpoint import StageClock, read_checkpoint, write_atomically
from training.presets import Budget


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "stage.pt"
    assert read_checkpoint(path) is None
    write_atomically(path, {"step": 3, "weights": {"a": torch.ones(2)}})
    saved = read_checkpoint(path)
    assert saved is not None
    assert saved["step"] == 3
    assert saved["weights"]["a"].tolist() == [1.0, 1.0]


def test_a_write_that_breaks_off_leaves_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "stage.pt"
    write_atomically(path, {"step": 3})

    def break_off(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(torch, "save", break_off)
    with pytest.raises(OSError, match="no space"):
        write_atomically(path, {"step": 4})
    saved = read_checkpoint(path)
    assert saved is not None
    assert saved["step"] == 3


def test_the_rate_warms_up_stays_and_goes_down_to_zero() -> None:
    budget = Budget(steps=100, minutes=60, batch=1, learning_rate=1.0, warmup=10)
    rates = [StageClock(budget, step).learning_rate() for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9:60] == [1.0] * 51
    assert rates[99] < 0.05
    assert rates[70:] == sorted(rates[70:], reverse=True)


def test_minutes_end_a_stage_as_steps_do() -> None:
    budget = Budget(steps=100, minutes=1, batch=1, learning_rate=1.0)
    assert not StageClock(budget, 99, 59).done
    assert StageClock(budget, 100, 0).done
    assert StageClock(budget, 0, 60).done
