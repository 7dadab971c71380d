"""The text encoder's lessons: the right answers, and a loss that learning lowers."""

from pathlib import Path
from random import Random

import pytest
import torch

from training.presets import PRESETS
from training.reading import NOTHING, QUESTIONS, build_reader, load_text_encoder, read_answers
from training.tokenizer import load_tokenizer, train_tokenizer
from training.world import sample_scene, training_scene

SMOKE = PRESETS["smoke"]


def test_every_scene_has_an_answer_to_every_question() -> None:
    rng = Random(3)
    for _ in range(500):
        scene = sample_scene(rng)
        answers = dict(zip(QUESTIONS, read_answers(scene), strict=True))
        told = {name: QUESTIONS[name][index] for name, index in answers.items()}
        assert told["setting"] == scene.setting
        assert told["thing"] == scene.thing
        assert told["hair_colour"] == (scene.hero.hair_colour if scene.hero else NOTHING)


def test_padding_changes_no_answer(tmp_path: Path) -> None:
    train_tokenizer(SMOKE, tmp_path)
    tokenizer = load_tokenizer(tmp_path)
    reader = build_reader(SMOKE, tokenizer).eval()
    captions = ["a red dragon", "a tall man with short brown hair in a blue coat, at the beach"]
    both = tokenizer(captions, padding=True, return_tensors="pt")
    alone = tokenizer(captions[:1], return_tensors="pt")
    with torch.inference_mode():
        padded = reader(both.input_ids, both.attention_mask == 0)
        bare = reader(alone.input_ids, alone.attention_mask == 0)
    for ours, theirs in zip(padded, bare, strict=True):
        torch.testing.assert_close(ours[:1], theirs, rtol=1e-4, atol=1e-5)


def test_a_run_without_this_stage_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="reading stage"):
        load_text_encoder(SMOKE, tmp_path)


def test_the_smaller_world_asks_about_the_same_things() -> None:
    scene = training_scene(1, 0, SMOKE.things)
    assert len(read_answers(scene)) == len(QUESTIONS)
