"""How a hero's looks are put into words."""

from __future__ import annotations

from random import Random

from training.heroes import Hero
from training.looks import (
    ADJECTIVES,
    CLOTH_WORDS,
    GARMENT_WORDS,
    HAIR_WORDS,
    OLD,
    ROLE_ADJECTIVES,
    STYLE_WORDS,
)
from training.phrases import HELD_PHRASES


def with_article(phrase: str) -> str:
    """Put "a" or "an" before a phrase."""
    return ("an " if phrase[0] in "aeiou" else "a ") + phrase


def join_words(*parts: str) -> str:
    """Join what is not empty with spaces."""
    return " ".join(part for part in parts if part)


def describe_hero(hero: Hero, rng: Random) -> str:
    """Describe a hero's looks, as the service's hero field does."""
    if hero.role:
        return _describe_role(hero, rng)
    if hero.kind in OLD:
        kind = rng.choice(OLD[hero.kind])
    else:
        kind = join_words(rng.choice(ADJECTIVES[hero.kind]), hero.kind)
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
    return join_words(
        with_article(kind), with_looks + comma if dressed else with_looks, dressed
    ) + _held(hero, rng)


def _hair(hero: Hero, rng: Random) -> str:
    if hero.hair_style == "bald":
        return "a bald head"
    colour = rng.choice(HAIR_WORDS[hero.hair_colour])
    return rng.choice(STYLE_WORDS[hero.hair_style]).format(colour)


def _clothes(hero: Hero, rng: Random) -> str:
    colour = rng.choice(CLOTH_WORDS[hero.garment_colour])
    worn = rng.choice(GARMENT_WORDS[hero.garment]).format(colour)
    if hero.garment == "jacket" and hero.garment_colour == "black" and rng.random() < 0.4:
        worn = rng.choice(("a leather jacket", "leather jacket"))
    if hero.garment == "overalls" and rng.random() < 0.2:
        worn = "overalls"
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
    who = with_article(join_words(rng.choice(ROLE_ADJECTIVES[hero.role]), hero.role))
    if hero.role == "robot":
        colour = rng.choice(CLOTH_WORDS[hero.garment_colour])
        name = join_words(
            rng.choice(ROLE_ADJECTIVES["robot"]), colour if rng.random() < 0.7 else "", "robot"
        )
        return with_article(name) + _held(hero, rng)
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
        who = with_article(join_words(rng.choice(ADJECTIVES[name]), name))
        return f"{who} with {_hair(hero, rng)}, wearing a {second} superhero cape and {clothes}"
    if rng.random() < 0.3:
        return f"{who} in {clothes} with a {second} cape"
    return f"{who} with {_hair(hero, rng)}, {clothes} and {with_article(second)} cape"
