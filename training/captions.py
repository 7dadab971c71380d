"""Captions as people write them: what a scene shows, said in many ways."""

from __future__ import annotations

from random import Random

from training.heroes import Hero
from training.phrases import (
    ADJECTIVES,
    BESIDE_PHRASES,
    CLOTH_WORDS,
    DANGER_PHRASES,
    DANGERS,
    FILLERS,
    GARMENT_WORDS,
    HAIR_WORDS,
    HELD_PHRASES,
    OLD,
    OPENERS,
    POSE_PHRASES,
    ROLE_ADJECTIVES,
    SETTING_PHRASES,
    SKY_PHRASES,
    STYLE_WORDS,
    THING_ADJECTIVES,
    VIEW_ADJECTIVES,
    VIEW_PHRASES,
)
from training.things import thing_named
from training.world import Scene

SYLLABLES = ("ka", "lor", "mi", "ten", "sha", "vo", "rin", "bel", "du", "ast", "que", "zy", "pho")


def write_caption(scene: Scene, rng: Random) -> str:
    """Return one caption of the scene; another state of `rng` gives another wording."""
    if scene.hero is not None:
        text = _hero_caption(scene, scene.hero, rng)
    elif scene.thing:
        text = _thing_caption(scene, rng)
    else:
        text = _view_caption(scene, rng)
    text = _with_filler(text, rng)
    style = rng.random()
    if style < 0.35:
        return text[0].upper() + text[1:]
    return text + "." if style > 0.93 else text


def _article(phrase: str) -> str:
    return ("an " if phrase[0] in "aeiou" else "a ") + phrase


def _join(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _with_filler(text: str, rng: Random) -> str:
    chance = rng.random()
    if chance < 0.18:
        text = f"{text}, {rng.choice(FILLERS)}"
    if chance < 0.05:
        text = f"{text}, {rng.choice(FILLERS)}"
    if rng.random() < 0.04:
        text = f"{rng.choice(FILLERS)}, {text}"
    if rng.random() < 0.05:
        text = f"{text} {''.join(rng.choices(SYLLABLES, k=rng.randint(1, 3)))}"
    return text


def _where_and_when(scene: Scene, rng: Random) -> str:
    """Say place and time, either of them left out now and then, in either order."""
    where = "" if rng.random() < 0.06 else rng.choice(SETTING_PHRASES[scene.setting])
    when = "" if rng.random() < 0.1 else rng.choice(SKY_PHRASES[scene.sky])
    if when and " " not in when and where:
        return f"{where}, {when}"
    if rng.random() < 0.12:
        where, when = when, where
    return _join(where, when)


def _thing_phrase(name: str, rng: Random) -> str:
    thing = thing_named(name)
    called = thing.name if rng.random() < 0.55 else rng.choice(thing.names)
    if rng.random() < 0.15:
        called = f"{rng.choice(THING_ADJECTIVES)} {called}"
    return _article(called)


def _thing_caption(scene: Scene, rng: Random) -> str:
    subject = _thing_phrase(scene.thing, rng)
    if rng.random() < 0.12:
        subject = subject.split(" ", 1)[1]
    if rng.random() < 0.06:
        return subject
    around = _where_and_when(scene, rng)
    shape = rng.random()
    if shape < 0.1:
        return f"{around}, {subject}" if around else subject
    if shape < 0.2:
        return f"{rng.choice(OPENERS[:4])} {subject} {around}".strip()
    return f"{subject}, {around}" if shape < 0.3 and around else _join(subject, around)


def _view_caption(scene: Scene, rng: Random) -> str:
    view, when = rng.choice(VIEW_PHRASES[scene.setting]), rng.choice(SKY_PHRASES[scene.sky])
    if rng.random() < 0.1:
        when = ""
    shape = rng.random()
    if shape < 0.15 and scene.sky != "noon":
        return f"a {rng.choice(VIEW_ADJECTIVES)} {scene.sky} over {view}"
    if shape < 0.25 and when:
        return f"{when} {rng.choice(SETTING_PHRASES[scene.setting])}"
    if shape < 0.32 and scene.sky == "purple sunset":
        return "a purple sunset sky"
    if shape < 0.5 and view.startswith(("a ", "an ")):
        view = f"a {rng.choice(VIEW_ADJECTIVES)} {view.split(' ', 1)[1]}"
    return f"{view}, {when}" if when and " " not in when else _join(view, when)


def _hero_caption(scene: Scene, hero: Hero, rng: Random) -> str:
    who = describe_hero(hero, rng)
    pose = "" if rng.random() < 0.1 else rng.choice(POSE_PHRASES[hero.pose])
    other = ""
    if scene.thing:
        danger = scene.thing in DANGERS and rng.random() < 0.5
        relation = rng.choice(DANGER_PHRASES if danger else BESIDE_PHRASES)
        other = relation.format(_thing_phrase(scene.thing, rng))
        pose = "" if rng.random() < 0.4 else pose
    around = _where_and_when(scene, rng)
    scene_text = _join(pose, other, around) if rng.random() < 0.8 else _join(pose, around, other)
    if not scene_text:
        return who
    if rng.random() < 0.06:
        return f"{scene_text}, {who}"
    return f"{who}, {scene_text}" if rng.random() < 0.8 else f"{who} {scene_text}"


def describe_hero(hero: Hero, rng: Random) -> str:
    """Describe a hero's looks, as the service's hero field does."""
    if hero.role:
        return _describe_role(hero, rng)
    if hero.kind in OLD:
        kind = rng.choice(OLD[hero.kind])
    else:
        kind = _join(rng.choice(ADJECTIVES[hero.kind]), hero.kind)
    looks = [] if rng.random() < 0.06 else [_hair(hero, rng)]
    if hero.beard and rng.random() < 0.85:
        looks.append("a beard")
    if rng.random() < 0.25:
        looks.append(f"{hero.eyes} eyes")
    if hero.glasses and rng.random() < 0.8:
        looks.append(rng.choice(("glasses", "sunglasses")))
    if hero.hat and rng.random() < 0.85:
        looks.append(rng.choice(("a hat", f"a {hero.garment_colour} hat")))
    rng.shuffle(looks)
    with_looks = f"with {(', ' if rng.random() < 0.6 else ' and ').join(looks)}" if looks else ""
    dressed = rng.choice(("wearing", "in", "dressed in", "wearing")) + " " + _clothes(hero, rng)
    if rng.random() < 0.04:
        dressed = ""
    comma = "," if with_looks and rng.random() < 0.6 else ""
    return _join(_article(kind), with_looks + comma if dressed else with_looks, dressed) + _held(
        hero, rng
    )


def _hair(hero: Hero, rng: Random) -> str:
    if hero.hair_style == "bald":
        return "a bald head"
    colour = rng.choice(HAIR_WORDS[hero.hair_colour])
    return rng.choice(STYLE_WORDS[hero.hair_style]).format(colour)


def _clothes(hero: Hero, rng: Random) -> str:
    colour = rng.choice(CLOTH_WORDS[hero.garment_colour])
    worn = rng.choice(GARMENT_WORDS[hero.garment]).format(colour)
    if worn.startswith("a ") and worn[2] in "aeiou":
        worn = "an " + worn[2:]
    if hero.garment == "overalls":
        shirt = f"a {hero.second_colour} t-shirt"
        worn = rng.choice((f"{worn} and {shirt}", f"{worn} over {shirt}", worn))
    return worn


def _held(hero: Hero, rng: Random) -> str:
    if not hero.held or rng.random() < 0.08:
        return ""
    return rng.choice((", ", " ")) + rng.choice(HELD_PHRASES[hero.held])


def _describe_role(hero: Hero, rng: Random) -> str:
    who = _article(_join(rng.choice(ROLE_ADJECTIVES[hero.role]), hero.role))
    if hero.role == "robot":
        colour = rng.choice(CLOTH_WORDS[hero.garment_colour])
        name = _join(
            rng.choice(ROLE_ADJECTIVES["robot"]), colour if rng.random() < 0.7 else "", "robot"
        )
        return _article(name) + _held(hero, rng)
    if rng.random() < 0.06:
        return who + _held(hero, rng)
    clothes = _clothes(hero, rng)
    second = rng.choice(CLOTH_WORDS[hero.second_colour]) if hero.second_colour else ""
    text = f"{who} {rng.choice(('in', 'wearing', 'in'))} {clothes}"
    if hero.role == "knight" and second:
        text += " " + rng.choice((f"with a {second} cloak", f"and a {second} cape"))
    elif hero.role == "superhero":
        text = _describe_superhero(hero, clothes, second, who, rng)
    elif hero.role == "wizard":
        beard = (
            f"{rng.choice(('long ', 'a long ', 'a '))}{rng.choice(HAIR_WORDS[hero.hair_colour])}"
        )
        text = f"{who} with {beard} beard, {rng.choice(('', 'wearing ', 'in '))}{clothes}"
    elif hero.role == "adventurer":
        text = f"{who} with {_hair(hero, rng)}, wearing {clothes}"
        text += rng.choice((" and brown boots", "", ""))
    elif hero.role == "hacker":
        goggles = rng.choice(("VR goggles", "goggles", "a VR headset"))
        text = f"{who} with {_hair(hero, rng)}, wearing {goggles} and {clothes}"
    return text + _held(hero, rng)


def _describe_superhero(hero: Hero, clothes: str, second: str, who: str, rng: Random) -> str:
    name = hero.kind if rng.random() < 0.4 else ""
    if name:
        who = _article(_join(rng.choice(ADJECTIVES[name]), name))
        return f"{who} with {_hair(hero, rng)}, wearing a {second} superhero cape and {clothes}"
    if rng.random() < 0.3:
        return f"{who} in {clothes} with a {second} cape"
    return f"{who} with {_hair(hero, rng)}, {clothes} and {_article(second)} cape"
