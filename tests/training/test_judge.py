"""The judge: what it is asked, what it counts, and that it learns."""

import dataclasses
import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
import torch

from training.heroes import Hero, sample_hero
from training.judge import (
    Judge,
    JudgeNetwork,
    judge_loss,
    judge_scenes,
    load_judge,
    save_judge,
    train_judge,
)
from training.judge_data import (
    DOES_NOT_APPLY,
    JUDGE_SIZE,
    JudgeWorld,
    ScenePool,
    augment,
    draw_small,
    encode_labels,
    judge_scene,
    shrink,
)
from training.labels import ATTRIBUTES, list_classes, read_labels, stated_labels
from training.presets import PRESETS, Budget
from training.world import Scene

THINGS = 8
LARGEST_WEIGHTS = 3_000_000


def scene_of(setting: str = "beach", time: str = "night", **more: object) -> Scene:
    whole = {"hero": None, "thing": "", "seed": 5, "pair": False, "weather": "clear", **more}
    return Scene(setting=setting, time=time, sky=time, **whole)  # type: ignore[arg-type]


def hero_of(**looks: object) -> Hero:
    rng = Random(1)
    hero = sample_hero(rng)
    while hero.role:
        hero = sample_hero(rng)
    return replace(hero, **looks)  # type: ignore[arg-type]


def test_a_hero_is_read_with_hair_and_garment() -> None:
    hero = hero_of(
        kind="girl", hair_colour="red", hair_style="pigtails", garment="coat", garment_colour="blue"
    )
    assert read_labels(scene_of(hero=hero, weather="rain", thing="fox")) == {
        "setting": "beach",
        "time": "night",
        "weather": "rain",
        "subject": "girl",
        "hair colour": "red",
        "garment colour": "blue",
    }


@pytest.mark.parametrize("role", ["knight", "robot", "astronaut"])
def test_hair_under_a_helmet_does_not_apply(role: str) -> None:
    labels = read_labels(scene_of(hero=hero_of(role=role, garment_colour="white")))
    assert (labels["subject"], labels["hair colour"]) == (role, None)
    assert labels["garment colour"] == "white"


def test_a_bald_head_has_no_hair_colour() -> None:
    hero = hero_of(kind="old man", hair_style="bald")
    labels = read_labels(scene_of(hero=hero))
    assert (labels["subject"], labels["hair colour"]) == ("elder", None)


def test_things_and_views_have_neither_hair_nor_garment() -> None:
    for thing, subject in (("dragon", "dragon"), ("", "nothing")):
        labels = read_labels(scene_of(thing=thing))
        assert labels["subject"] == subject
        assert labels["hair colour"] is None and labels["garment colour"] is None


def test_weather_does_not_apply_indoors_nor_time_in_space() -> None:
    for setting in ("cave", "room", "hallway", "kitchen"):
        labels = read_labels(scene_of(setting))
        assert labels["weather"] is None and labels["time"] == "night"
    labels = read_labels(scene_of("space"))
    assert labels["weather"] is None and labels["time"] is None


def test_what_no_prompt_says_is_not_expected() -> None:
    assert stated_labels(scene_of()) == {"setting": "beach", "time": "night"}
    assert stated_labels(scene_of(weather="fog", thing="fox")) == {
        "setting": "beach",
        "time": "night",
        "weather": "fog",
        "subject": "fox",
    }


@pytest.mark.parametrize("role", ["adventurer", "hacker"])
def test_a_role_that_no_picture_shows_is_not_expected(role: str) -> None:
    scene = scene_of(hero=hero_of(kind="woman", role=role))
    assert read_labels(scene)["subject"] == "woman"
    assert "subject" not in stated_labels(scene)
    knight = scene_of(hero=hero_of(kind="man", role="knight"))
    assert stated_labels(knight)["subject"] == "knight"


def test_every_scene_has_its_place_among_the_classes() -> None:
    classes = list_classes(THINGS)
    scenes = [judge_scene(3, index, THINGS) for index in range(200)]
    for scene, codes in zip(scenes, encode_labels(scenes, classes).tolist(), strict=True):
        for name, code in zip(ATTRIBUTES, codes, strict=True):
            label = read_labels(scene)[name]
            assert (code == DOES_NOT_APPLY) if label is None else classes[name][code] == label


def test_the_judge_learns_from_held_out_combinations_too() -> None:
    assert judge_scene(3, 0, THINGS).held_out
    assert not judge_scene(3, 1, THINGS).held_out


def test_it_reads_pictures_of_any_size() -> None:
    classes = list_classes(THINGS)
    judge = Judge(JudgeNetwork(classes, (8, 8)).eval(), classes, THINGS)
    for size in (64, JUDGE_SIZE, 512):
        answers = judge.read(torch.rand(2, 3, size, size) * 2 - 1)
        assert len(answers) == 2
        assert all(answers[0][name] in classes[name] for name in ATTRIBUTES)


def test_shrinking_averages_areas() -> None:
    fine = torch.rand(1, 3, 2 * JUDGE_SIZE, 2 * JUDGE_SIZE)
    expected = fine.unflatten(-1, (-1, 2)).mean(-1).unflatten(-2, (-1, 2)).mean(-2)
    torch.testing.assert_close(shrink(fine), expected)


def test_what_does_not_apply_costs_nothing() -> None:
    logits = [torch.randn(2, 3) for _ in ATTRIBUTES]
    nothing = torch.full((2, len(ATTRIBUTES)), DOES_NOT_APPLY)
    assert float(judge_loss(logits, nothing)) == 0
    one = nothing.clone()
    one[0, 0] = 1
    expected = torch.nn.functional.cross_entropy(logits[0][:1], torch.tensor([1]))
    torch.testing.assert_close(judge_loss(logits, one), expected)


def test_augmentation_keeps_shape_range_and_most_of_the_picture() -> None:
    pictures = torch.rand(8, 3, JUDGE_SIZE, JUDGE_SIZE) * 2 - 1
    spoilt = augment(pictures, torch.Generator().manual_seed(0))
    assert spoilt.shape == pictures.shape
    assert float(spoilt.abs().max()) <= 1
    assert float((spoilt.mean(dim=(1, 2, 3)) - pictures.mean(dim=(1, 2, 3))).abs().max()) < 0.1


def test_a_pool_renews_its_oldest_pictures() -> None:
    pool = ScenePool(JudgeWorld(1, 64, THINGS), 6, None)
    lengths = []
    for _ in range(4):
        pool.add(4)
        lengths.append(len(pool))
    assert lengths == [4, 6, 6, 6]
    pictures, targets = pool.sample(5)
    assert pictures.shape == (5, 3, JUDGE_SIZE, JUDGE_SIZE)
    assert targets.shape == (5, len(ATTRIBUTES))


def test_it_learns_to_tell_four_pictures_apart() -> None:
    torch.manual_seed(0)
    classes = list_classes(THINGS)
    scenes = [
        scene_of("beach", "noon"),
        scene_of("cave", "night"),
        scene_of("forest", "noon", thing="dragon"),
        scene_of("city", "sunset", hero=hero_of(kind="man", garment_colour="red")),
    ]
    network = JudgeNetwork(classes, (8, 16))
    judge = Judge(network, classes, THINGS)
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-2)
    pictures = draw_small(scenes, 64).float() / 127.5 - 1
    targets = encode_labels(scenes, classes)
    for _ in range(25):
        loss = judge_loss(network(pictures), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network.eval()
    scores = judge_scenes(judge, scenes, 64)
    assert scores["setting"].right == scores["setting"].of == 4
    assert (scores["garment colour"].right, scores["garment colour"].of) == (1, 1)


def test_a_saved_judge_reads_as_before(tmp_path: Path) -> None:
    classes = list_classes(None)
    judge = Judge(JudgeNetwork(classes).eval(), classes, None)
    save_judge(judge, tmp_path)
    assert (tmp_path / "judge.safetensors").stat().st_size <= LARGEST_WEIGHTS
    again = load_judge(tmp_path)
    assert again.classes == classes and again.things is None
    pictures = torch.rand(2, 3, JUDGE_SIZE, JUDGE_SIZE)
    for first, second in zip(judge.network(pictures), again.network(pictures), strict=True):
        torch.testing.assert_close(first, second, atol=0.02, rtol=0.02)


def test_a_missing_judge_says_how_to_train_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="python -m training judge"):
        load_judge(tmp_path)


def test_training_resumes_reports_and_then_rests(tmp_path: Path) -> None:
    torch.manual_seed(0)
    first = dataclasses.replace(PRESETS["smoke"], judge_budget=Budget(2, 60, 4, 1e-3, 2))
    more = dataclasses.replace(first, judge_budget=Budget(3, 60, 4, 1e-3, 2))
    for preset in (first, more, more):
        train_judge(preset, tmp_path, tmp_path / "judge")
    records = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [record["step"] for record in records if "loss" in record] == [2, 3]
    accuracy = [record for record in records if record.get("read") == "drawings"]
    assert len(accuracy) == 2 and 0 <= accuracy[0]["setting"] <= 1
    assert load_judge(tmp_path / "judge").things == more.things
