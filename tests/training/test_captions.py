"""Captions say what is drawn, and nothing that is not."""

import re
from collections.abc import Callable, Iterator
from random import Random

import pytest

from training.captions import plural, write_caption
from training.heroes import Hero
from training.looks import BALD, CLOTH_WORDS, EYEWEAR_WORDS, HAIR_WORDS, KIND_WORDS
from training.phrases import (
    CLEAR_PHRASES,
    CLEAR_SKY_PHRASES,
    SETTING_PHRASES,
    SKY_PHRASES,
    TIME_NOUNS,
    VIEW_PHRASES,
    WEATHER_ADJECTIVES,
    WEATHER_PHRASES,
)
from training.things import thing_named
from training.world import Scene, training_scene

PROMPTS = (
    "A beautiful sunset over the ocean with dolphins jumping",
    "A cute robot playing guitar",
    "A magical forest with glowing mushrooms",
    "a young woman with long red hair, green eyes, wearing a blue jacket, "
    "standing on a mountain peak at sunrise",
    "walking through a busy city street at noon",
    "sitting on a beach at sunset",
    "a muscular man with short black hair, wearing a red superhero cape and blue suit",
    "a young girl with blonde pigtails, freckles, wearing overalls and a yellow t-shirt, "
    "cartoon style",
    "an elderly wizard with long white beard, purple robes, holding a wooden staff, "
    "fantasy art style",
    "a brave knight in silver armor with a red cloak",
    "standing in front of a castle gate",
    "fighting a dragon in a cave",
    "celebrating victory in a village square",
    "a cyberpunk hacker with neon blue mohawk, wearing VR goggles and leather jacket",
    "typing on holographic keyboard in dark room",
    "running through rainy neon-lit streets",
    "overlooking the city from a rooftop at night",
    "A cyberpunk city at night with neon lights",
    "a young adventurer with brown messy hair, wearing a green tunic and brown boots",
    "standing at the entrance of a dark cave, holding a torch",
    "exploring inside the cave with glowing crystals",
    "discovering an ancient treasure chest",
    "running away from a giant spider",
    "celebrating victory outside the cave at sunset",
    "A peaceful sunrise over mountains with mist",
    "A busy city street at noon with cars",
    "A calm ocean beach at sunset with waves",
    "A red sports car",
    "A blue ocean wave",
    "A green forest landscape",
    "A purple sunset sky",
    "A beautiful landscape",
    "a tall woman with red hair wearing a blue jacket, walking in park",
    "sitting in cafe",
    "consistent character, a tall athletic woman with shoulder-length blonde hair in a ponytail, "
    "wearing black tactical gear and sunglasses, photorealistic style",
    "running through a hallway",
    "jumping over obstacles",
    "standing on a rooftop",
)


def captioned(count: int) -> Iterator[tuple[Scene, str]]:
    rng = Random(4)
    for index in range(count):
        scene = training_scene(11, index)
        yield scene, write_caption(scene, rng).lower()


def share_of_heroes(said: Callable[[Hero, str], bool], of: Callable[[Hero], object]) -> float:
    """Return in what share of the captions of such heroes something is said."""
    results = [
        said(scene.hero, caption)
        for scene, caption in captioned(4000)
        if scene.hero is not None and of(scene.hero)
    ]
    assert len(results) > 20
    return sum(results) / len(results)


def test_a_thing_is_called_by_one_of_its_names() -> None:
    for scene, caption in captioned(1500):
        if scene.thing:
            names = thing_named(scene.thing).names
            said = (*names, *map(plural, names)) if scene.pair else names
            assert any(name in caption for name in said), caption


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("fox", "foxes"),
        ("butterfly", "butterflies"),
        ("mouse", "mice"),
        ("wolf", "wolves"),
        ("cherries", "cherries"),
        ("slice of pizza", "slices of pizza"),
        ("church", "churches"),
        ("monkey", "monkeys"),
    ],
)
def test_plurals(one: str, many: str) -> None:
    assert plural(one) == many


def test_a_hero_is_called_by_kind_or_role() -> None:
    for scene, caption in captioned(1500):
        if scene.hero is not None:
            names = {scene.hero.role, scene.hero.kind, *KIND_WORDS[scene.hero.kind]} - {""}
            assert any(name in caption for name in names), caption


def test_what_a_hero_wears_is_nearly_always_said() -> None:
    assert (
        share_of_heroes(
            lambda hero, text: any(word in text for word in CLOTH_WORDS[hero.garment_colour]),
            lambda hero: not (hero.garment == "jacket" and hero.garment_colour == "black"),
        )
        > 0.92
    )
    assert share_of_heroes(lambda hero, text: "cloak" in text or "cape" in text, _cloak) > 0.9
    assert (
        share_of_heroes(
            lambda hero, text: any(word.lower() in text for word in EYEWEAR_WORDS[hero.eyewear]),
            lambda hero: hero.eyewear and hero.kind != "old woman",
        )
        > 0.85
    )
    assert share_of_heroes(lambda hero, text: " hat" in text, _plain_hat) > 0.85


def _plain_hat(hero: Hero) -> bool:
    return hero.hat and not hero.role


def _cloak(hero: Hero) -> str:
    return hero.cloak


def test_hair_is_nearly_always_said() -> None:
    def hair_said(hero: Hero, text: str) -> bool:
        return any(word in text for word in (*HAIR_WORDS[hero.hair_colour], *BALD))

    assert share_of_heroes(hair_said, lambda hero: hero.shows_hair) > 0.94


def test_the_setting_is_nearly_always_said() -> None:
    said = []
    for scene, caption in captioned(2000):
        if scene.hero is None:
            continue
        phrases = (*SETTING_PHRASES[scene.setting], *VIEW_PHRASES[scene.setting])
        words = {word for phrase in phrases for word in phrase.split() if len(word) > 3}
        said.append(any(word in caption for word in words))
    assert sum(said) / len(said) > 0.92


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


def test_space_is_not_given_a_time() -> None:
    times = {phrase for phrases in SKY_PHRASES.values() for phrase in phrases if " " in phrase}
    for scene, caption in captioned(4000):
        if scene.setting == "space":
            assert not any(phrase in caption for phrase in times), caption


def test_weather_is_said_where_there_is_some() -> None:
    words = {kind: (*WEATHER_PHRASES[kind], *WEATHER_ADJECTIVES[kind]) for kind in WEATHER_PHRASES}
    hits = []
    for scene, caption in captioned(3000):
        if scene.weather == "clear":
            assert not any(phrase in caption for phrase in WEATHER_PHRASES["rain"][2:]), caption
            assert not re.search(r"\b(rainy|foggy|misty|mist|fog)\b", caption), caption
            continue
        hits.append(any(word in caption for word in words[scene.weather]))
        clear = (*CLEAR_PHRASES, *(p for some in CLEAR_SKY_PHRASES.values() for p in some))
        assert not any(phrase in caption for phrase in clear), caption
    assert sum(hits) / len(hits) > 0.88


def test_every_time_has_its_own_words() -> None:
    nouns = [noun for some in TIME_NOUNS.values() for noun in some]
    assert len(set(nouns)) == len(nouns)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_services_prompts_are_in_the_captions_words(
    prompt: str, vocabulary: frozenset[str]
) -> None:
    assert set(re.findall(r"[a-z0-9-]+", prompt.lower())) <= vocabulary


@pytest.fixture(scope="module")
def vocabulary() -> frozenset[str]:
    return frozenset(
        word for _, caption in captioned(12000) for word in re.findall(r"[a-z0-9-]+", caption)
    )


def test_a_caption_fits_the_text_window() -> None:
    assert max(len(re.findall(r"[\w'-]+|,", caption)) for _, caption in captioned(3000)) <= 72


def test_wording_varies_but_follows_the_generator() -> None:
    scene = training_scene(11, 2)
    assert len({write_caption(scene, Random(seed)) for seed in range(30)}) > 20
    assert write_caption(scene, Random(3)) == write_caption(scene, Random(3))
