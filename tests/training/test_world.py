"""What the drawing code promises: the same bytes for a seed, and no held-out scenes."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from training.heroes import ROLES, sample_hero
from training.palette import LIGHTS
from training.things import THINGS
from training.world import SETTINGS, TIMES, Scene, draw_scene, sample_scene, training_scene

SIZE = 64


def scene_of(setting: str = "meadow", sky: str = "noon", thing: str = "") -> Scene:
    return Scene(setting, sky.split()[-1], sky, None, thing, seed=5)


def test_the_same_scene_gives_the_same_bytes() -> None:
    for index in range(20):
        scene = training_scene(3, index)
        assert scene == training_scene(3, index)
        np.testing.assert_array_equal(draw_scene(scene, SIZE), draw_scene(scene, SIZE))


def test_another_seed_gives_another_picture() -> None:
    scene = training_scene(3, 1)
    other = replace(scene, seed=scene.seed + 1)
    assert (draw_scene(scene, SIZE) != draw_scene(other, SIZE)).any()


@pytest.mark.parametrize("size", [64, 256, 512])
def test_a_picture_is_a_square_of_bytes(size: int) -> None:
    picture = draw_scene(training_scene(1, 0), size)
    assert picture.shape == (size, size, 3)
    assert picture.dtype == np.uint8


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_looks_different_at_every_time(setting: str) -> None:
    pictures = [draw_scene(scene_of(setting, sky), SIZE) for sky in LIGHTS]
    for index, picture in enumerate(pictures):
        for other in pictures[index + 1 :]:
            assert np.abs(picture.astype(int) - other.astype(int)).mean() > 5


def test_every_thing_can_be_seen() -> None:
    empty = draw_scene(scene_of(), SIZE).astype(int)
    for thing in THINGS:
        changed = np.abs(draw_scene(scene_of(thing=thing.name), SIZE) - empty).max(axis=-1) > 16
        assert changed.mean() > 0.03, thing.name


def test_every_role_is_drawn_large() -> None:
    empty = draw_scene(scene_of(), 128).astype(int)
    rng, seen = Random(0), set[str]()
    while seen != set(ROLES):
        hero = sample_hero(rng)
        if hero.role in seen or not hero.role:
            continue
        seen.add(hero.role)
        drawn = draw_scene(replace(scene_of(), hero=replace(hero, pose="standing")), 128)
        rows = np.flatnonzero((np.abs(drawn - empty).max(axis=-1) > 16).any(axis=1))
        assert (rows[-1] - rows[0]) / 128 >= 0.55, hero


def test_training_never_sees_held_out_scenes() -> None:
    rng = Random(1)
    share = sum(sample_scene(rng).held_out for _ in range(2000)) / 2000
    assert 0.03 < share < 0.1
    assert not any(training_scene(1, index).held_out for index in range(500))


def test_training_sees_all_settings_times_and_things() -> None:
    scenes = [training_scene(1, index) for index in range(3000)]
    assert {scene.setting for scene in scenes} == set(SETTINGS)
    assert {scene.time for scene in scenes} == set(TIMES)
    assert {scene.thing for scene in scenes} == {""} | {thing.name for thing in THINGS}
