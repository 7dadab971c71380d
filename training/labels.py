"""What a judge can read from a scene: six attributes and the classes of each."""

from __future__ import annotations

from training.heroes import TELLING_ROLES
from training.palette import GARMENT_COLOURS, HAIR_COLOURS
from training.things import THINGS
from training.world import SETTINGS, SHELTERED, TIMES, WEATHERS, Scene

SETTING, TIME, WEATHER = "setting", "time", "weather"
SUBJECT, HAIR, GARMENT = "subject", "hair colour", "garment colour"
ATTRIBUTES = (SETTING, TIME, WEATHER, SUBJECT, HAIR, GARMENT)
PEOPLE = ("woman", "man", "girl", "boy", "elder")
NOTHING, CLEAR = "nothing", "clear"


Labels = dict[str, str | None]
Classes = dict[str, tuple[str, ...]]


def list_classes(things: int | None) -> Classes:
    """Return every attribute's classes in a world with that many things; None: all of them."""
    names = tuple(thing.name for thing in THINGS[:things])
    return {
        SETTING: tuple(SETTINGS),
        TIME: TIMES,
        WEATHER: WEATHERS,
        SUBJECT: (*PEOPLE, *TELLING_ROLES, *names, NOTHING),
        HAIR: tuple(HAIR_COLOURS),
        GARMENT: tuple(GARMENT_COLOURS),
    }


def read_labels(scene: Scene) -> Labels:
    """Return each attribute's class in that scene, None where it does not apply."""
    hero = scene.hero
    return {
        SETTING: scene.setting,
        TIME: scene.time if scene.shows_time else None,
        WEATHER: None if scene.setting in SHELTERED else scene.weather,
        SUBJECT: hero.subject if hero is not None else scene.thing or NOTHING,
        HAIR: hero.hair_colour if hero is not None and hero.shows_hair else None,
        GARMENT: hero.garment_colour if hero is not None else None,
    }


def stated_labels(scene: Scene) -> dict[str, str]:
    """Return what a full caption of the scene states: nobody writes "clear" or "nothing"."""
    unsaid = {WEATHER: CLEAR, SUBJECT: NOTHING}
    if scene.hero is not None and scene.hero.role not in ("", *TELLING_ROLES):
        unsaid[SUBJECT] = scene.hero.subject  # said is the role, which no picture can tell
    labels = read_labels(scene).items()
    return {name: label for name, label in labels if label and label != unsaid.get(name)}
