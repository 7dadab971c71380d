"""Captions as people write them: what a scene shows, said in many ways."""

from __future__ import annotations

from random import Random

from training.hero_captions import describe_hero, join_words, with_article
from training.heroes import Hero
from training.phrases import (
    BESIDE_PHRASES,
    DANGER_PHRASES,
    DANGERS,
    FILLERS,
    OPENERS,
    POSE_PHRASES,
    SETTING_PHRASES,
    SKY_PHRASES,
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
    return join_words(where, when)


def _thing_phrase(name: str, rng: Random) -> str:
    thing = thing_named(name)
    called = thing.name if rng.random() < 0.55 else rng.choice(thing.names)
    if rng.random() < 0.15:
        called = f"{rng.choice(THING_ADJECTIVES)} {called}"
    return with_article(called)


def plural(name: str) -> str:
    """Return the plural of a thing's name."""
    if name.endswith(("x", "us")):
        return name + "es"
    if name.endswith("y") and name[-2] not in "aeiou":
        return name[:-1] + "ies"
    return name if name.endswith("s") else name + "s"


def _pair_phrase(name: str, rng: Random) -> str:
    names = plural(rng.choice(thing_named(name).names))
    return f"{rng.choice(('two', 'a pair of', '', 'cute'))} {names}".strip()


def _thing_caption(scene: Scene, rng: Random) -> str:
    phrase = _pair_phrase if scene.pair else _thing_phrase
    subject = phrase(scene.thing, rng)
    if rng.random() < 0.2:
        when = "" if rng.random() < 0.3 else rng.choice(SKY_PHRASES[scene.sky])
        return join_words(rng.choice(VIEW_PHRASES[scene.setting]), when, "with", subject)
    if not scene.pair and rng.random() < 0.12:
        subject = subject.split(" ", 1)[1]
    if rng.random() < 0.06:
        return subject
    around = _where_and_when(scene, rng)
    shape = rng.random()
    if shape < 0.1:
        return f"{around}, {subject}" if around else subject
    if shape < 0.2:
        return f"{rng.choice(OPENERS[:4])} {subject} {around}".strip()
    return f"{subject}, {around}" if shape < 0.3 and around else join_words(subject, around)


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
    return f"{view}, {when}" if when and " " not in when else join_words(view, when)


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
    scene_text = (
        join_words(pose, other, around) if rng.random() < 0.8 else join_words(pose, around, other)
    )
    if not scene_text:
        return who
    if rng.random() < 0.06:
        return f"{scene_text}, {who}"
    return f"{who}, {scene_text}" if rng.random() < 0.8 else f"{who} {scene_text}"
