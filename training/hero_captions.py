"""How a hero's looks are put into words."""

from __future__ import annotations

from random import Random

from training.heroes import Hero
from training.looks import (
    ADJECTIVES,
    BALD,
    BEARD_WORDS,
    CLOTH_WORDS,
    EYEWEAR_WORDS,
    GARMENT_WORDS,
    HAIR_WORDS,
    KIND_WORDS,
    ROLE_ADJECTIVES,
    STYLE_WORDS,
)
from training.phrases import HELD_PHRASES


def with_article(phrase: str) -> str:
    """Put "a" or "an" before a phrase."""
    sounds = phrase[0] in "aeiou" and not phrase.startswith(("ufo", "uni", "euro"))
    sounds = sounds or phrase.startswith("hourglass")
    return ("an " if sounds else "a ") + phrase


def join_words(*parts: str) -> str:
    """Join what is not empty with spaces."""
    return " ".join(part for part in parts if part)


def describe_hero(hero: Hero, rng: Random) -> str:
    """Describe a hero's looks, as the service's hero field does; not what the hero holds."""
    if hero.role:
        return _describe_role(hero, rng)
    kind = join_words(rng.choice(ADJECTIVES[hero.kind]), rng.choice(KIND_WORDS[hero.kind]))
    looks, worn = _looks(hero, rng), [] if rng.random() < 0.03 else [_clothes(hero, rng)]
    for extra in _extras(hero, rng):
        (worn if worn and rng.random() < 0.5 else looks).append(extra)
    if len(worn) > 1 and rng.random() < 0.3:
        worn.reverse()
    with_looks = f"with {_list(looks, rng)}" if looks else ""
    verb = rng.choice(("wearing", "in", "dressed in", "wearing"))
    dressed = f"{verb} {_list(worn, rng)}" if worn else ""
    comma = "," if with_looks and dressed and rng.random() < 0.6 else ""
    return join_words(with_article(kind), with_looks + comma, dressed)


def describe_held(hero: Hero, rng: Random) -> str:
    """Say what the hero holds; empty for nothing, and left out now and then."""
    if not hero.held or rng.random() < 0.06:
        return ""
    return rng.choice(HELD_PHRASES[hero.held])


def _list(parts: list[str], rng: Random) -> str:
    if len(parts) == 1:
        return parts[0]
    if rng.random() < 0.5:
        return ", ".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _looks(hero: Hero, rng: Random) -> list[str]:
    """Return phrases for hair, beard and eyes."""
    looks = [] if rng.random() < 0.03 else [_hair(hero, rng)]
    if hero.beard and rng.random() < 0.92:
        looks.append(_beard(hero, rng))
    if rng.random() < 0.25 and hero.eyewear not in ("sunglasses", "goggles"):
        looks.append(f"{hero.eyes} eyes")
    if rng.random() < 0.3:
        rng.shuffle(looks)
    return looks


def _extras(hero: Hero, rng: Random) -> list[str]:
    """Return phrases for what is worn besides the garment."""
    extras: list[str] = []
    if hero.eyewear and rng.random() < (0.6 if hero.kind == "old woman" else 0.94):
        extras.append(rng.choice(EYEWEAR_WORDS[hero.eyewear]))
    if hero.hat and rng.random() < 0.94:
        extras.append(rng.choice(("a hat", with_article(f"{hero.garment_colour} hat"))))
    if hero.headphones and rng.random() < 0.94:
        extras.append(rng.choice(("headphones", "big headphones", "a pair of headphones")))
    if hero.cloak and rng.random() < 0.95:
        extras.append(_cloak(hero, rng))
    return extras


def _cloak(hero: Hero, rng: Random) -> str:
    colour = rng.choice(CLOTH_WORDS[hero.cloak])
    return with_article(f"{colour} {rng.choice(('cloak', 'cloak', 'cape'))}")


def _hair(hero: Hero, rng: Random) -> str:
    if hero.hair_style == "bald":
        return rng.choice(BALD)
    colour = rng.choice(HAIR_WORDS[hero.hair_colour])
    return _with_right_article(rng.choice(STYLE_WORDS[hero.hair_style]).format(colour))


def _beard(hero: Hero, rng: Random) -> str:
    colour = rng.choice(HAIR_WORDS[hero.hair_colour])
    text = "a beard" if rng.random() < 0.1 else rng.choice(BEARD_WORDS[hero.beard]).format(colour)
    return _with_right_article(text)


def _with_right_article(phrase: str) -> str:
    return "an " + phrase[2:] if phrase.startswith("a ") and phrase[2] in "aeiou" else phrase


def _clothes(hero: Hero, rng: Random) -> str:
    colour = rng.choice(CLOTH_WORDS[hero.garment_colour])
    worn = rng.choice(GARMENT_WORDS[hero.garment]).format(colour)
    if hero.garment == "jacket" and hero.garment_colour == "black" and rng.random() < 0.4:
        worn = rng.choice(("a leather jacket", "leather jacket"))
    if hero.garment == "overalls" and rng.random() < 0.12:
        worn = "overalls"
    worn = _with_right_article(worn)
    if hero.garment == "overalls":
        shirt = f"a {hero.second_colour} t-shirt"
        worn = rng.choice((f"{worn} and {shirt}", f"{worn} over {shirt}", worn))
    return worn


def _describe_role(hero: Hero, rng: Random) -> str:
    adjective = rng.choice(ROLE_ADJECTIVES[hero.role])
    if hero.role == "robot":
        colour = rng.choice(CLOTH_WORDS[hero.garment_colour]) if rng.random() < 0.92 else ""
        return with_article(join_words(adjective, colour, "robot"))
    female = "female" if hero.is_female and rng.random() < 0.6 else ""
    who = with_article(join_words(adjective, female, hero.role))
    clothes = _clothes(hero, rng)
    worn = f"{rng.choice(('in', 'wearing', 'in'))} {clothes}"
    if rng.random() < 0.03:
        return who
    if hero.role in ("knight", "astronaut"):
        return join_words(who, worn, _with_cloak(hero, rng))
    if hero.role == "superhero":
        return _describe_superhero(hero, clothes, who, rng)
    if hero.role == "wizard":
        looks = _beard(hero, rng)
        if rng.random() < 0.2:
            clothes = f"{clothes} and {rng.choice(('a pointed hat', 'a wizard hat'))}"
        joint = rng.choice((", ", ", wearing ", ", in ", " and "))
        return f"{who} with {looks}{joint}{clothes}"
    if hero.role == "hacker":
        goggles = rng.choice(EYEWEAR_WORDS["goggles"])
        clothes = f"{goggles} and {clothes}" if rng.random() < 0.95 else clothes
    text = f"{who} with {_hair(hero, rng)}, wearing {clothes}"
    if hero.role == "adventurer":
        text += rng.choice((" and brown boots", "", ""))
    return join_words(text, _with_cloak(hero, rng))


def _with_cloak(hero: Hero, rng: Random) -> str:
    if not hero.cloak or rng.random() < 0.03:
        return ""
    return f"{rng.choice(('with', 'and'))} {_cloak(hero, rng)}"


def _describe_superhero(hero: Hero, clothes: str, who: str, rng: Random) -> str:
    cape = rng.choice(CLOTH_WORDS[hero.cloak])
    hair = f"with {_hair(hero, rng)}"
    if rng.random() < 0.4:
        kind = rng.choice(ADJECTIVES[hero.kind])
        who = with_article(join_words(kind, hero.kind))
        return f"{who} {hair}, wearing {with_article(cape)} superhero cape and {clothes}"
    if rng.random() < 0.3:
        return f"{who} {hair} in {clothes} with {with_article(cape)} cape"
    return f"{who} {hair}, {clothes} and {with_article(cape)} cape"
