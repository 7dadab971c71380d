"""Prompts for judging: each states all that a judge can read from the picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from engine import VideoRequest
from engine.story import plan_scenes
from training.captions import plural
from training.hero_captions import join_words, with_article
from training.heroes import POSES, Hero
from training.labels import CLEAR, stated_labels
from training.looks import (
    BALD,
    BEARD_WORDS,
    CLOTH_WORDS,
    EYEWEAR_WORDS,
    GARMENT_WORDS,
    HAIR_WORDS,
    KIND_WORDS,
    STYLE_WORDS,
)
from training.phrases import (
    HELD_PHRASES,
    POSE_PHRASES,
    SETTING_PHRASES,
    SKY_PHRASES,
    VIEW_PHRASES,
    WEATHER_PHRASES,
)
from training.world import SETTINGS, TIMES, Scene, held_out_scene

EVALUATION_SEED = 40_000_003
STORY_SCENES = 4


@dataclass(frozen=True)
class Case:
    """One picture to ask for and what it should show.

    Attributes:
        expected: Class of each attribute that the prompt states.
    """

    prompt: str
    seed: int
    expected: dict[str, str]


@dataclass(frozen=True)
class Story:
    """One hero in four scenes.

    Attributes:
        cases: As the service draws them: scene k with `seed + k`.
        one_seed: The same prompts, all with the story's own seed.
    """

    cases: tuple[Case, ...]
    one_seed: tuple[Case, ...]


def write_full_caption(scene: Scene) -> str:
    """Return the scene's caption with nothing left out, in the most usual words."""
    template = Random(scene.seed).randrange(3)
    if scene.hero is not None:
        who, action = describe_fully(scene.hero), _action(scene, scene.hero)
        around = _around(scene)
        return (
            f"{who}, {action} {around}",
            f"{who} {action} {around}",
            f"{who}, {action}, {around}",
        )[template]
    if not scene.thing:
        view = join_words(VIEW_PHRASES[scene.setting][0], _conditions(scene))
        return (view, f"a picture of {view}", f"{view}, storybook style")[template]
    what = f"two {plural(scene.thing)}" if scene.pair else _thing(scene.thing)
    around = _around(scene)
    return (f"{what} {around}", f"{what}, {around}", f"a picture of {what} {around}")[template]


def _thing(name: str) -> str:
    return name if plural(name) == name else with_article(name)


def _around(scene: Scene) -> str:
    return join_words(SETTING_PHRASES[scene.setting][0], _conditions(scene))


def _conditions(scene: Scene) -> str:
    """Say weather and time where they show."""
    weather = "" if scene.weather == CLEAR else WEATHER_PHRASES[scene.weather][0]
    return join_words(weather, SKY_PHRASES[scene.sky][0] if scene.shows_time else "")


def _action(scene: Scene, hero: Hero) -> str:
    beside = f"next to {_thing(scene.thing)}" if scene.thing else ""
    return join_words(POSE_PHRASES[hero.pose][0], beside)


def describe_fully(hero: Hero) -> str:
    """Describe a hero with hair and garment colours, as people write it in the hero field."""
    colour = CLOTH_WORDS[hero.garment_colour][0]
    held = f", {HELD_PHRASES[hero.held][0]}" if hero.held else ""
    if hero.role == "robot":
        return with_article(f"{colour} robot") + held
    female = "female" if hero.role and hero.is_female else ""
    who = with_article(join_words(female, hero.role or KIND_WORDS[hero.kind][0]))
    looks, worn = " and ".join(_looks(hero)), _list(_clothes(hero, colour))
    return (f"{who} with {looks}, wearing {worn}" if looks else f"{who} in {worn}") + held


def _list(parts: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


def _clothes(hero: Hero, colour: str) -> list[str]:
    """Return phrases for all that is worn, the garment first."""
    garment = GARMENT_WORDS[hero.garment][0].format(colour)
    worn = [with_article(garment[2:]) if garment.startswith("a ") else garment]
    if hero.garment == "overalls":
        worn.append(f"a {hero.second_colour} t-shirt")
    if hero.eyewear:
        worn.append(EYEWEAR_WORDS[hero.eyewear][0])
    if hero.headphones:
        worn.append("headphones")
    if hero.hat and hero.role != "wizard":
        worn.append("a hat")
    if hero.cloak:
        cape = "cape" if hero.role == "superhero" else "cloak"
        worn.append(with_article(f"{CLOTH_WORDS[hero.cloak][0]} {cape}"))
    return worn


def _looks(hero: Hero) -> list[str]:
    """Return phrases for hair and beard where they can be seen."""
    colour = HAIR_WORDS[hero.hair_colour][0]
    beard = [BEARD_WORDS[hero.beard][0].format(colour)] if hero.beard else []
    if hero.role == "wizard":
        return beard
    if hero.hair_style == "bald":
        return [BALD[0], *beard]
    return [STYLE_WORDS[hero.hair_style][0].format(colour), *beard] if hero.shows_hair else []


def list_cases(count: int, things: int | None) -> list[tuple[Case, Scene]]:
    """Return the prompts to judge with the scenes they describe, all held out of training."""
    scenes = [held_out_scene(EVALUATION_SEED, index, things) for index in range(count)]
    return [
        (Case(write_full_caption(scene), seed, stated_labels(scene)), scene)
        for seed, scene in enumerate(scenes)
    ]


def list_stories(count: int, things: int | None) -> list[Story]:
    """Return stories of heroes that show their hair, each in four held-out places and times."""
    stories: list[Story] = []
    index = 0
    while len(stories) < count:
        scene = held_out_scene(EVALUATION_SEED + 1, index, things)
        index += 1
        if scene.hero is not None and scene.hero.shows_hair:
            scenes = _held_out_scenes(scene, scene.hero, Random(index))
            if len(scenes) == STORY_SCENES:
                stories.append(_tell(scene.hero, scenes, seed=100_000 + 10 * len(stories)))
    return stories


def _held_out_scenes(scene: Scene, hero: Hero, rng: Random) -> list[Scene]:
    """Return up to four held-out scenes of that hero, each elsewhere and in another pose."""
    settings = list(SETTINGS)
    rng.shuffle(settings)
    poses = rng.sample(POSES, STORY_SCENES)
    found: list[Scene] = []
    for setting in settings:
        for time in rng.sample(TIMES, len(TIMES)):
            if len(found) == STORY_SCENES:
                return found
            posed = replace(hero, pose=poses[len(found)])
            moved = replace(scene, setting=setting, time=time, sky=time, hero=posed)
            moved = replace(moved, thing="", pair=False, weather=CLEAR)
            if moved.held_out:
                found.append(moved)
                break
    return found


def _tell(hero: Hero, scenes: list[Scene], seed: int) -> Story:
    """Compose the prompts and seeds exactly as the service does."""
    texts = [join_words(_action(s, hero if s.hero is None else s.hero), _around(s)) for s in scenes]
    request = VideoRequest(hero_description=describe_fully(hero), scenes=texts)
    cases = [
        Case(task.prompt, task.seed, stated_labels(scene))
        for task, scene in zip(plan_scenes(request, seed), scenes, strict=True)
    ]
    return Story(tuple(cases), tuple(replace(case, seed=seed) for case in cases))
