"""Captions as people write them: what a scene shows, said in many ways."""

from __future__ import annotations

from random import Random

from training.actions import (
    BESIDE_PHRASES,
    DANGER_PHRASES,
    DANGERS,
    FILLERS,
    OPENERS,
    THING_ACTIONS,
    THING_ADJECTIVES,
    THING_RELATIONS,
    VIEW_ADJECTIVES,
)
from training.hero_captions import describe_held, describe_hero, join_words, with_article
from training.heroes import Hero
from training.phrases import (
    CLEAR_PHRASES,
    CLEAR_SKY_PHRASES,
    DARK_PHRASES,
    POSE_PHRASES,
    SETTING_PHRASES,
    SKY_PHRASES,
    TIME_NOUNS,
    VIEW_PHRASES,
    WEATHER_ADJECTIVES,
    WEATHER_PHRASES,
)
from training.things import thing_named
from training.world import SHELTERED, Scene

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
    if rng.random() < 0.04:
        text = f"{text} {''.join(rng.choices(SYLLABLES, k=rng.randint(1, 3)))}"
    return text


def _when(scene: Scene, rng: Random, left_out: float = 0.08) -> str:
    """Say the time and the weather, as one phrase or as two."""
    if not scene.shows_time:
        return ""
    if scene.weather == "clear":
        return _clear_when(scene, rng, left_out)
    if rng.random() < 0.22:
        adjective = rng.choice(WEATHER_ADJECTIVES[scene.weather])
        noun = rng.choice(TIME_NOUNS[scene.sky])
        return f"{'at' if noun in ('noon', 'midday') else 'on'} {with_article(adjective)} {noun}"
    time = "" if rng.random() < left_out else rng.choice(SKY_PHRASES[scene.sky])
    weather = "" if rng.random() < 0.04 else rng.choice(WEATHER_PHRASES[scene.weather])
    parts = [time, weather]
    if rng.random() < 0.4:
        parts.reverse()
    return _join_clauses(*parts)


def _clear_when(scene: Scene, rng: Random, left_out: float) -> str:
    if rng.random() < left_out:
        return ""
    phrases = SKY_PHRASES[scene.sky]
    outdoors = scene.setting not in SHELTERED
    if outdoors and rng.random() < 0.2:
        phrases = CLEAR_SKY_PHRASES.get(scene.sky, phrases)
    time = rng.choice(phrases)
    if outdoors and rng.random() < 0.03:
        return f"{time}, {rng.choice(CLEAR_PHRASES)}"
    return time


def _join_clauses(*parts: str) -> str:
    """Join with spaces, but put a comma before or after a bare word such as "sunset"."""
    text = ""
    for part in filter(None, parts):
        bare = part in _BARE
        text += (", " if text and (bare or text.split(", ")[-1] in _BARE) else " ") + part
    return text.strip()


_BARE = frozenset(
    phrase
    for phrases in SKY_PHRASES.values()
    for phrase in phrases
    if " " not in phrase or phrase.split()[0] in ("orange", "purple")
)


def _where(scene: Scene, rng: Random) -> str:
    """Say the place, with the weather as its adjective now and then."""
    phrases = SETTING_PHRASES[scene.setting]
    if scene.sky == "night" and rng.random() < 0.25:
        phrases = DARK_PHRASES.get(scene.setting, phrases)
    where = rng.choice(phrases)
    while where.split()[0] in ("through", "down", "across", "along") and not _moves(scene):
        where = rng.choice(phrases)
    if scene.setting == "neon city" and scene.weather == "rain" and rng.random() < 0.4:
        return f"{'through' if _moves(scene) else 'in'} rainy neon-lit streets"
    if scene.weather in ("rain", "fog") and rng.random() < 0.1:
        adjective = rng.choice(WEATHER_ADJECTIVES[scene.weather])
        first, *rest = where.split()
        if rest and rest[0] in ("a", "the"):
            return " ".join((first, rest[0], adjective, *rest[1:]))
    return where


def _moves(scene: Scene) -> bool:
    return scene.hero is not None and scene.hero.pose in ("walking", "running")


def _where_and_when(scene: Scene, rng: Random) -> str:
    """Say place, time and weather, any of them left out now and then, in either order."""
    where = "" if rng.random() < 0.05 else _where(scene, rng)
    if rng.random() < 0.12:
        return _join_clauses(_fluent_when(scene, rng), where)
    when = _when(scene, rng) if where else _fluent_when(scene, rng)
    return _join_clauses(where, when)


def _fluent_when(scene: Scene, rng: Random) -> str:
    """Say when with words that may follow any others: "at noon", not "noon"."""
    when = _when(scene, rng)
    while when.split(",")[0] in _BARE:
        when = _when(scene, rng)
    return when


def _thing_phrase(name: str, rng: Random) -> str:
    thing = thing_named(name)
    called = thing.name if rng.random() < 0.55 else rng.choice(thing.names)
    if rng.random() < 0.15:
        called = f"{rng.choice(THING_ADJECTIVES)} {called}"
    return called if _is_plural(called) else with_article(called)


def _is_plural(name: str) -> bool:
    return name in ("grapes", "cherries", "french fries", "fries", "bananas")


def plural(name: str) -> str:
    """Return the plural of a thing's name."""
    if _is_plural(name) or name == "dice":
        return name
    if " of " in name and not name.startswith("pair"):
        first, rest = name.split(" of ", 1)
        return f"{plural(first)} of {rest}"
    if name == "mouse" or name.endswith(" mouse"):
        return name.removesuffix("mouse") + "mice"
    if name.endswith("wolf") or name.endswith("leaf") or name == "loaf":
        return name[:-1] + "ves"
    if name.endswith(("x", "us", "ss", "ch", "sh")):
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
    if not scene.pair and rng.random() < 0.12 and subject.startswith(("a ", "an ")):
        subject = subject.split(" ", 1)[1]
    if scene.thing in THING_ACTIONS and rng.random() < 0.4:
        subject = f"{subject} {rng.choice(THING_ACTIONS[scene.thing])}"
    shape = rng.random()
    if shape < 0.1:
        return join_words(_view_of_time(scene, rng), "with", subject)
    if shape < 0.2:
        view = rng.choice(VIEW_PHRASES[scene.setting])
        return join_words(view, _fluent_when(scene, rng), "with", subject)
    if shape < 0.25:
        return subject
    around = _where_and_when(scene, rng)
    if shape < 0.33:
        return f"{around}, {subject}" if around else subject
    if shape < 0.4:
        return f"{rng.choice(OPENERS[:4])} {subject} {around}".strip()
    return f"{subject}, {around}" if shape < 0.62 and around else join_words(subject, around)


def _view_of_time(scene: Scene, rng: Random) -> str:
    """Say the whole view with its time first, as in "a peaceful sunrise over mountains"."""
    view = rng.choice(VIEW_PHRASES[scene.setting])
    if not scene.shows_time or scene.setting in SHELTERED:
        return _join_clauses(view, _when(scene, rng))
    adjective = rng.choice(VIEW_ADJECTIVES) if rng.random() < 0.7 else ""
    time, end = rng.choice(TIME_NOUNS[scene.sky]), ""
    if scene.sky == "purple sunset" and rng.random() < 0.6:
        time, end = "sunset", rng.choice(("with purple sky", "with a purple sky"))
    if scene.weather != "clear":
        if rng.random() < 0.3:
            adjective = rng.choice(WEATHER_ADJECTIVES[scene.weather])
        else:
            end = join_words(end, rng.choice(WEATHER_PHRASES[scene.weather]))
    over = rng.choice(("over", "over", "above", "at" if " " not in time else "over"))
    opening = join_words(adjective, time)
    if rng.random() < 0.75:
        opening = with_article(opening)
    return join_words(opening, over, view, end)


def _view_caption(scene: Scene, rng: Random) -> str:
    view, when = rng.choice(VIEW_PHRASES[scene.setting]), _when(scene, rng)
    shape = rng.random()
    if shape < 0.2:
        return _view_of_time(scene, rng)
    if shape < 0.26 and when:
        return f"{when}, {_where(scene, rng)}"
    if shape < 0.34 and scene.sky == "purple sunset" and scene.shows_time:
        return "a purple sunset sky"
    if shape < 0.55 and view.startswith(("a ", "an ")):
        view = f"a {rng.choice(VIEW_ADJECTIVES)} {view.split(' ', 1)[1]}"
    elif shape < 0.62:
        view = f"{rng.choice(OPENERS[:4])} {view}"
    return _join_clauses(view, when)


def _hero_caption(scene: Scene, hero: Hero, rng: Random) -> str:
    held = describe_held(hero, rng)
    held_late = bool(held) and rng.random() < 0.3
    who = describe_hero(hero, rng)
    if held and not held_late:
        who += rng.choice((", ", " ")) + held
    pose = "" if rng.random() < 0.08 else rng.choice(POSE_PHRASES[hero.pose])
    other = ""
    if scene.thing:
        other = _relation(scene.thing, rng)
        pose = "" if rng.random() < 0.35 or " " in pose else pose
    around = _where_and_when(scene, rng)
    if scene.setting == "rooftop" and hero.pose == "standing" and rng.random() < 0.15:
        pose, around = "", f"overlooking the city from a rooftop {_fluent_when(scene, rng)}".strip()
    parts = (pose, other, around) if rng.random() < 0.8 else (pose, around, other)
    scene_text = join_words(*parts)
    if not scene_text:
        return f"{who}, {held}" if held_late else who
    if held_late:
        scene_text = f"{scene_text}, {held}"
    if rng.random() < 0.06:
        return f"{scene_text}, {who}"
    return f"{who}, {scene_text}" if rng.random() < 0.86 else f"{who} {scene_text}"


def _relation(name: str, rng: Random) -> str:
    """Say what a hero has to do with the thing beside."""
    relations = THING_RELATIONS.get(name, BESIDE_PHRASES)
    if name in DANGERS and rng.random() < 0.5:
        relations = DANGER_PHRASES
    elif rng.random() < 0.3:
        relations = BESIDE_PHRASES
    thing = _thing_phrase(name, rng)
    if name == "laptop" and rng.random() < 0.2:
        thing = thing.split(" ", 1)[1]
    return rng.choice(relations).format(thing)
