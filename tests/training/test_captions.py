"""Captions say what is drawn, and nothing that is not."""

from collections.abc import Iterator
from random import Random

from training.captions import plural, write_caption
from training.looks import CLOTH_WORDS, OLD
from training.phrases import SETTING_PHRASES
from training.things import thing_named
from training.world import Scene, training_scene


def captioned(count: int) -> Iterator[tuple[Scene, str]]:
    rng = Random(4)
    for index in range(count):
        scene = training_scene(11, index)
        yield scene, write_caption(scene, rng).lower()


def test_a_thing_is_called_by_one_of_its_names() -> None:
    for scene, caption in captioned(1500):
        if scene.thing:
            names = thing_named(scene.thing).names
            said = (*names, *map(plural, names)) if scene.pair else names
            assert any(name in caption for name in said), caption


def test_a_hero_is_called_by_kind_or_role() -> None:
    for scene, caption in captioned(1500):
        if scene.hero is not None:
            names = {scene.hero.role, scene.hero.kind, *OLD.get(scene.hero.kind, ())} - {""}
            assert any(name in caption for name in names), caption


def test_the_garment_colour_is_nearly_always_said() -> None:
    said = [
        any(word in caption for word in CLOTH_WORDS[scene.hero.garment_colour])
        for scene, caption in captioned(1500)
        if scene.hero is not None
    ]
    assert sum(said) / len(said) > 0.85


def test_no_other_setting_is_named() -> None:
    owners: dict[str, set[str]] = {}
    for setting, phrases in SETTING_PHRASES.items():
        for phrase in phrases:
            owners.setdefault(phrase, set()).add(setting)
    own_words = {phrase: next(iter(who)) for phrase, who in owners.items() if len(phrase) > 14}
    for scene, caption in captioned(800):
        for phrase, setting in own_words.items():
            if phrase in caption:
                assert any(phrase in own for own in SETTING_PHRASES[scene.setting]), (
                    caption,
                    setting,
                )


def test_wording_varies_but_follows_the_generator() -> None:
    scene = training_scene(11, 2)
    assert len({write_caption(scene, Random(seed)) for seed in range(30)}) > 20
    assert write_caption(scene, Random(3)) == write_caption(scene, Random(3))
