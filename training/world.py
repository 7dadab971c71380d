"""The world: choose a scene from a seed, and paint it."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from training import indoors, nature, outdoors, places
from training.atlas import load_atlas
from training.canvas import GRID, Canvas
from training.figure import draw_hero, hero_top
from training.heroes import Hero, sample_hero
from training.palette import LIGHTS, Colour, Light, darker
from training.things import THINGS, Place, Thing, thing_named
from training.weather import draw_weather

Painter = Callable[[Canvas, Light, Random], Colour]
SETTINGS: dict[str, Painter] = {
    "mountain": nature.draw_mountain,
    "beach": nature.draw_beach,
    "forest": nature.draw_forest,
    "desert": nature.draw_desert,
    "ocean": nature.draw_ocean,
    "snow": nature.draw_snow,
    "meadow": nature.draw_meadow,
    "park": outdoors.draw_park,
    "garden": outdoors.draw_garden,
    "city": places.draw_city,
    "neon city": places.draw_neon_city,
    "castle": places.draw_castle,
    "cave": places.draw_cave,
    "village": places.draw_village,
    "rooftop": places.draw_rooftop,
    "room": indoors.draw_room,
    "hallway": indoors.draw_hallway,
    "kitchen": indoors.draw_kitchen,
    "lake": outdoors.draw_lake,
    "space": outdoors.draw_space,
}
TIMES = ("sunrise", "noon", "sunset", "night")
WEATHERS = ("clear", "rain", "snow", "fog")
SHELTERED = ("cave", "room", "hallway", "kitchen", "space")
HELD_OUT_SHARE = 16
SMALLEST_THING = 222


@dataclass(frozen=True)
class Scene:
    """Everything that a picture shows; `seed` settles the rest of the drawing.

    Attributes:
        sky: Key of LIGHTS: the time, or "purple sunset".
        thing: Usual name of a thing, alone or beside the hero; empty for none.
        pair: Whether the thing is there twice.
        weather: One of WEATHERS; always "clear" in SHELTERED settings.
    """

    setting: str
    time: str
    sky: str
    hero: Hero | None
    thing: str
    seed: int
    pair: bool = False
    weather: str = "clear"

    @property
    def shows_time(self) -> bool:
        """Whether the picture differs from one time of day to another."""
        return self.setting != "space"

    @property
    def held_out(self) -> bool:
        """Whether this combination is kept from training, for judging."""
        who = self.thing
        if self.hero is not None:
            who = f"{self.hero.role or self.hero.kind} {self.hero.garment_colour}"
        key = f"{self.setting}|{self.time if self.shows_time else ''}|{who}"
        return zlib.crc32(key.encode()) % HELD_OUT_SHARE == 0


def sample_scene(rng: Random, things: int | None = None) -> Scene:
    """Choose a scene: heroes most often, then things, then plain views.

    Args:
        things: Only so many of THINGS, from the first, are in this world; all when None.
    """
    kind = rng.random()
    hero = sample_hero(rng) if kind < 0.5 else None
    thing = ""
    if 0.5 <= kind < 0.88 or (hero is not None and not hero.held and rng.random() < 0.3):
        known = THINGS[:things]
        thing = rng.choices(known, weights=[t.weight for t in known])[0].name
    setting = _sample_setting(rng, thing, hero)
    time = rng.choice(TIMES)
    if setting == "neon city" and rng.random() < 0.5:
        time = "night"
    if setting == "space":
        time = "night"
    sky = "purple sunset" if time == "sunset" and rng.random() < 0.25 else time
    pair = bool(thing) and hero is None and rng.random() < 0.1
    weather = _sample_weather(rng, setting)
    return Scene(setting, time, sky, hero, thing, rng.getrandbits(32), pair, weather)


def _sample_setting(rng: Random, thing: str, hero: Hero | None) -> str:
    if thing and thing_named(thing).place is Place.WATER and rng.random() < 0.6:
        return rng.choice(("ocean", "ocean", "beach", "lake"))
    if thing == "dragon" and rng.random() < 0.2:
        return "cave"
    if hero is not None and hero.role == "astronaut" and rng.random() < 0.25:
        return "space"
    return rng.choice(tuple(SETTINGS))


def _sample_weather(rng: Random, setting: str) -> str:
    if setting in SHELTERED:
        return "clear"
    if setting == "neon city" and rng.random() < 0.25:
        return "rain"
    return rng.choice(WEATHERS[1:]) if rng.random() < 0.23 else "clear"


def training_scene(seed: int, index: int, things: int | None = None) -> Scene:
    """Return scene `index` of an endless reproducible series without held-out combinations."""
    rng = Random(f"{seed}:{index}")
    scene = sample_scene(rng, things)
    while scene.held_out:
        scene = sample_scene(rng, things)
    return scene


def held_out_scene(seed: int, index: int, things: int | None = None) -> Scene:
    """Return scene `index` of a series like training's, of held-out combinations alone."""
    rng = Random(f"held-out:{seed}:{index}")
    scene = sample_scene(rng, things)
    while not scene.held_out:
        scene = sample_scene(rng, things)
    return scene


def draw_scene(scene: Scene, size: int) -> NDArray[np.uint8]:
    """Paint the scene; uint8 of shape (size, size, 3), the same bytes for the same scene."""
    rng = Random(scene.seed)
    canvas = Canvas(size)
    light = LIGHTS[scene.sky]
    ground = SETTINGS[scene.setting](canvas, light, rng)
    draw_weather(canvas, scene.weather, light, ground, rng)
    shadow = darker(ground, 0.3)
    beside = scene.hero is not None and bool(scene.thing)
    left = rng.random() < 0.5
    if scene.thing:
        spots = [(402 if left else 110)] if beside else [256 + rng.randint(-40, 40)]
        share = 0.74 if beside else 1.0
        if scene.pair:
            spots, share = [136, 376], 0.8
        for x in spots:
            spot = x + rng.randint(-10, 10)
            _place_thing(canvas, thing_named(scene.thing), spot, share, shadow, rng)
    if scene.hero is not None:
        x = (170 if left else 342) if beside else 256 + rng.randint(-40, 40)
        _place_hero(canvas, scene.hero, x, shadow, rng)
    return canvas.pixels()


def _place_hero(canvas: Canvas, hero: Hero, x: float, shadow: Colour, rng: Random) -> None:
    low, high = (0.84, 0.92) if hero.is_child else (1.08, 1.2)
    base = 484 + rng.randint(-8, 8)
    scale = min(rng.uniform(low, high), (base - 12) / hero_top(hero))
    canvas.ellipse(x, base, 88 * scale, 15, shadow)
    draw_hero(canvas, hero, x, base, scale, flip=rng.random() < 0.5)


def _place_thing(
    canvas: Canvas, thing: Thing, x: float, share: float, shadow: Colour, rng: Random
) -> None:
    base = {Place.GROUND: 476, Place.WATER: 446, Place.AIR: 300}[thing.place] + rng.randint(-12, 12)
    if thing.place is Place.AIR and share == 1.0:
        base += 60
    picture = load_atlas()[thing.name] if thing.glyph else None
    shape = 1.0 if picture is None else min(1.0, picture.width / picture.height)
    extent = max(thing.width * rng.uniform(0.98, 1.2), SMALLEST_THING) * share
    width = extent * shape
    if thing.place is Place.GROUND:
        canvas.ellipse(x, base - 4, width * 0.5, 13, shadow)
    if picture is None:
        _draw_chest(canvas, x, base, width)
        return
    x = min(max(x, width / 2 + 6), GRID - width / 2 - 6)
    canvas.stamp(picture, x, base, width, rng.random() < 0.5)


def _draw_chest(canvas: Canvas, x: float, base: float, width: float) -> None:
    """Paint an open wooden chest full of gold."""
    half, wood, gold = width / 2, (150, 92, 44), (255, 208, 60)
    canvas.rectangle(x - half, base - width * 0.72, x + half, base - width * 0.4, darker(wood), 24)
    canvas.rectangle(
        x - half * 0.84, base - width * 0.66, x + half * 0.84, base - width * 0.3, (70, 40, 26), 16
    )
    for i in range(5):
        canvas.ellipse(
            x + (i - 2) * width * 0.16, base - width * 0.42, width * 0.11, width * 0.11, gold
        )
    canvas.rectangle(x - half, base - width * 0.4, x + half, base, wood, 6)
    for edge in (x - half, x + half - 14):
        canvas.rectangle(edge, base - width * 0.4, edge + 14, base, gold)
    canvas.rectangle(x - half, base - width * 0.4, x + half, base - width * 0.34, gold)
    canvas.rectangle(x - 15, base - width * 0.36, x + 15, base - width * 0.16, gold, 5)
