"""What the drawing code promises: the same bytes for a seed, and no held-out scenes."""

from dataclasses import replace
from itertools import combinations
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from training.heroes import FEMALE, KINDS, POSES, ROLES, TELLING_ROLES, Hero, sample_hero
from training.palette import LIGHTS
from training.things import THINGS
from training.world import (
    SETTINGS,
    SHELTERED,
    TIMES,
    WEATHERS,
    Scene,
    draw_scene,
    held_out_scene,
    sample_scene,
    training_scene,
)

SIZE = 64


def scene_of(setting: str = "meadow", sky: str = "noon", thing: str = "") -> Scene:
    return Scene(setting, sky.split()[-1], sky, None, thing, seed=5)


def difference(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    return float(np.abs(first.astype(int) - second.astype(int)).mean())


def anybody(kind: str, pose: str = "standing") -> Hero:
    rng = Random(6)
    while (hero := sample_hero(rng)).kind != kind or hero.role or hero.held or hero.hat:
        pass
    return replace(hero, pose=pose)


def rows_of(hero: Hero) -> int:
    """Count the rows that a hero covers, of 128."""
    empty = draw_scene(scene_of(), 128).astype(int)
    drawn = draw_scene(replace(scene_of(), hero=hero), 128)
    rows = np.flatnonzero((np.abs(drawn - empty).max(axis=-1) > 16).any(axis=1))
    return int(rows[-1] - rows[0])


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


@pytest.mark.parametrize("setting", [name for name in SETTINGS if name != "space"])
def test_every_setting_looks_different_at_every_time(setting: str) -> None:
    pictures = [draw_scene(scene_of(setting, sky), SIZE) for sky in LIGHTS]
    for index, picture in enumerate(pictures):
        for other in pictures[index + 1 :]:
            assert difference(picture, other) > 5


def test_space_alone_shows_no_time() -> None:
    assert [name for name in SETTINGS if not scene_of(name).shows_time] == ["space"]
    assert difference(*(draw_scene(scene_of("space", sky), SIZE) for sky in ("noon", "night"))) == 0


@pytest.mark.parametrize("sky", LIGHTS)
def test_every_setting_looks_different_from_every_other(sky: str) -> None:
    pictures = {name: draw_scene(scene_of(name, sky), SIZE) for name in SETTINGS}
    for name, other in combinations(SETTINGS, 2):
        sides = [pictures[key][:, [*range(16), *range(48, 64)]] for key in (name, other)]
        assert difference(*sides) > 6, (name, other)


@pytest.mark.parametrize("sky", TIMES)
@pytest.mark.parametrize("setting", [name for name in SETTINGS if name not in SHELTERED])
def test_weather_shows_and_leaves_the_time_readable(setting: str, sky: str) -> None:
    clear = draw_scene(scene_of(setting, sky), SIZE)
    for weather in WEATHERS[1:]:
        drawn = draw_scene(replace(scene_of(setting, sky), weather=weather), SIZE)
        changed = np.abs(drawn.astype(int) - clear).max(axis=-1) > 12
        assert changed.mean() > 0.05, weather
        for other in TIMES:
            if other != sky:
                assert difference(drawn, draw_scene(scene_of(setting, other), SIZE)) > 5


def test_unknown_weather_is_refused() -> None:
    with pytest.raises(ValueError, match="hail"):
        draw_scene(replace(scene_of(), weather="hail"), SIZE)


def test_weather_comes_to_about_a_quarter_of_the_outdoor_scenes() -> None:
    scenes = [training_scene(2, index) for index in range(3000)]
    assert all(s.weather == "clear" for s in scenes if s.setting in SHELTERED)
    outdoors = [scene.weather for scene in scenes if scene.setting not in SHELTERED]
    assert set(outdoors) == set(WEATHERS)
    assert 0.2 < sum(weather != "clear" for weather in outdoors) / len(outdoors) < 0.3


def test_every_thing_can_be_seen() -> None:
    empty = draw_scene(scene_of(), SIZE).astype(int)
    for thing in THINGS:
        changed = np.abs(draw_scene(scene_of(thing=thing.name), SIZE) - empty).max(axis=-1) > 16
        assert changed.mean() > 0.03, thing.name


def test_a_thing_alone_is_large() -> None:
    empty = draw_scene(scene_of(), 128).astype(int)
    for thing in THINGS:
        changed = np.abs(draw_scene(scene_of(thing=thing.name), 128) - empty).max(axis=-1) > 16
        extents = [np.flatnonzero(changed.any(axis=axis)) for axis in (0, 1)]
        assert max(spot[-1] - spot[0] for spot in extents) / 128 >= 0.4, thing.name


def test_every_role_is_drawn_large() -> None:
    rng, seen = Random(0), set[str]()
    while seen != set(ROLES):
        hero = sample_hero(rng)
        if hero.role in seen or not hero.role:
            continue
        seen.add(hero.role)
        assert rows_of(replace(hero, pose="standing")) / 128 >= 0.55, hero


def test_children_are_smaller_than_adults_but_not_small() -> None:
    rows = {kind: rows_of(anybody(kind)) for kind in KINDS}
    children = [rows["girl"], rows["boy"]]
    assert min(children) / 128 >= 0.55
    assert max(children) + 4 <= min(rows[kind] for kind in KINDS if kind not in ("girl", "boy"))


def test_every_hero_stays_inside_the_picture() -> None:
    rng = Random(8)
    empty = draw_scene(scene_of("cave"), SIZE).astype(int)
    for _ in range(150):
        drawn = draw_scene(replace(scene_of("cave"), hero=sample_hero(rng)), SIZE)
        assert not (np.abs(drawn - empty).max(axis=-1) > 16)[0].any()


def test_kinds_and_poses_look_different() -> None:
    for heroes in (
        [anybody(kind) for kind in KINDS],
        [anybody("woman", pose) for pose in POSES],
        [replace(anybody("woman", pose), garment="robe") for pose in POSES],
    ):
        pictures = [draw_scene(replace(scene_of(), hero=hero), 128) for hero in heroes]
        for first, second in combinations(pictures, 2):
            assert difference(first, second) > 1.5


def test_kinds_have_their_own_hair() -> None:
    rng = Random(2)
    for hero in (sample_hero(rng) for _ in range(2000)):
        female = hero.kind in FEMALE
        assert (hero.hair_style in ("long", "ponytail", "pigtails", "bob", "bun")) == (
            female and hero.role != "robot"
        )
        assert hero.kind.startswith("old") <= (hero.hair_colour == "grey")
        assert not (hero.hat and hero.headphones)
        assert hero.subject in (*TELLING_ROLES, "woman", "man", "girl", "boy", "elder")


def test_training_never_sees_held_out_scenes() -> None:
    rng = Random(1)
    share = sum(sample_scene(rng).held_out for _ in range(2000)) / 2000
    assert 0.03 < share < 0.1
    assert not any(training_scene(1, index).held_out for index in range(500))


def test_the_held_out_series_is_disjoint_from_training() -> None:
    def shown(scene: Scene) -> tuple[str, str, str]:
        who = scene.thing
        if scene.hero is not None:
            who = f"{scene.hero.role or scene.hero.kind} {scene.hero.garment_colour}"
        return scene.setting, scene.time, who

    held_out = [held_out_scene(1, index) for index in range(300)]
    assert all(scene.held_out for scene in held_out)
    assert held_out_scene(1, 3) == held_out[3] != held_out[4]
    trained = {shown(training_scene(1, index)) for index in range(3000)}
    assert not trained & {shown(scene) for scene in held_out}


def test_a_smaller_world_draws_only_its_first_things() -> None:
    known = {thing.name for thing in THINGS[:48]}
    series = (training_scene, held_out_scene)
    drawn = {pick(1, index, things=48).thing for pick in series for index in range(400)}
    assert drawn <= known | {""}


def test_training_sees_all_settings_times_and_things() -> None:
    scenes = [training_scene(1, index) for index in range(5000)]
    assert {scene.setting for scene in scenes} == set(SETTINGS)
    assert {scene.time for scene in scenes} == set(TIMES)
    assert {scene.thing for scene in scenes} == {""} | {thing.name for thing in THINGS}
