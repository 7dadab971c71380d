"""The animals and things of the world: what they are called and how large they stand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Place(Enum):
    """Where a thing belongs in a picture."""

    GROUND = "ground"
    WATER = "water"
    AIR = "air"


@dataclass(frozen=True)
class Thing:
    """One animal or object.

    Attributes:
        glyph: The emoji that shows it; empty where drawing code of ours does.
        names: What people call it, the usual name first.
        width: Usual width on the 512 grid when it is the picture's subject.
        weight: How often it is drawn, against 1 for most things.
    """

    glyph: str
    names: tuple[str, ...]
    place: Place = Place.GROUND
    width: int = 230
    weight: float = 1.0

    @property
    def name(self) -> str:
        """The usual name, which also keys the atlas."""
        return self.names[0]


G, W, A = Place.GROUND, Place.WATER, Place.AIR

THINGS: tuple[Thing, ...] = (
    Thing("\U0001f409", ("dragon", "green dragon", "fearsome dragon"), G, 270, 3.0),
    Thing("\U0001f42c", ("dolphin", "jumping dolphin", "leaping dolphin"), W, 230, 3.0),
    Thing("\U0001f3ce", ("red sports car", "sports car", "red race car"), G, 270, 3.0),
    Thing("\U0001f577", ("spider", "giant spider", "huge spider", "black spider"), G, 240, 3.0),
    Thing("\U0001f3b8", ("guitar", "electric guitar", "red guitar"), G, 210, 2.0),
    Thing("\U0001f344", ("mushroom", "red mushroom", "glowing mushroom", "toadstool"), G, 210, 3.0),
    Thing("", ("treasure chest", "ancient treasure chest", "chest of gold"), G, 230, 3.0),
    Thing("\U0001f4bb", ("laptop", "computer", "laptop computer", "holographic keyboard"), G, 220),
    Thing("\U0001f415", ("dog", "puppy", "brown dog"), G, 210, 1.5),
    Thing("\U0001f408", ("cat", "kitten", "kitty"), G, 200, 1.5),
    Thing("\U0001f98a", ("fox", "red fox"), G, 210),
    Thing("\U0001f407", ("rabbit", "bunny", "hare"), G, 190),
    Thing("\U0001f43c", ("panda", "panda bear"), G, 210),
    Thing("\U0001f981", ("lion", "brave lion"), G, 220),
    Thing("\U0001f405", ("tiger", "striped tiger"), G, 250),
    Thing("\U0001f418", ("elephant", "big elephant"), G, 250),
    Thing("\U0001f40e", ("horse", "pony", "galloping horse"), G, 240),
    Thing("\U0001f984", ("unicorn", "white unicorn"), G, 220),
    Thing("\U0001f427", ("penguin", "little penguin"), G, 190),
    Thing("\U0001f989", ("owl", "wise owl"), G, 190),
    Thing("\U0001f438", ("frog", "green frog"), G, 200),
    Thing("\U0001f422", ("turtle", "tortoise", "green turtle"), G, 220),
    Thing("\U0001f433", ("whale", "blue whale"), W, 240),
    Thing("\U0001f419", ("octopus", "red octopus"), W, 220),
    Thing("\U0001f98b", ("butterfly", "blue butterfly"), A, 200),
    Thing("\U0001f980", ("crab", "red crab"), G, 210),
    Thing("\U0001f404", ("cow", "spotted cow"), G, 240),
    Thing("\U0001f996", ("dinosaur", "t-rex", "tyrannosaurus"), G, 250),
    Thing("\U0001f47b", ("ghost", "friendly ghost"), A, 190),
    Thing("\U0001f333", ("tree", "big tree", "oak tree"), G, 260),
    Thing("\U0001f334", ("palm tree", "palm"), G, 240),
    Thing("\U0001f335", ("cactus", "green cactus"), G, 220),
    Thing("\U0001f33b", ("sunflower", "yellow sunflower"), G, 210),
    Thing("\u26c4", ("snowman", "happy snowman"), G, 210),
    Thing("\U0001f680", ("rocket", "rocket ship", "spaceship"), A, 230),
    Thing("\U0001f6f8", ("flying saucer", "ufo", "alien ship"), A, 240),
    Thing("\U0001f388", ("red balloon", "balloon"), A, 180),
    Thing("\u26f5", ("sailboat", "sailing boat", "boat"), W, 230, 1.5),
    Thing("\U0001f6b2", ("bicycle", "bike"), G, 240),
    Thing("\U0001f682", ("train", "steam train", "locomotive"), G, 250),
    Thing("\U0001f695", ("taxi", "yellow taxi", "yellow cab"), G, 230),
    Thing("\U0001f68c", ("bus", "big bus"), G, 250),
    Thing("\U0001f3e0", ("house", "little house", "cottage"), G, 260),
    Thing("\U0001f451", ("crown", "golden crown", "king's crown"), G, 210),
    Thing("\U0001f383", ("pumpkin", "jack-o'-lantern", "halloween pumpkin"), G, 210),
    Thing("\U0001f382", ("cake", "birthday cake"), G, 210),
    Thing("\U0001f9f8", ("teddy bear", "teddy"), G, 210),
    Thing("\U0001f525", ("fire", "campfire", "bonfire"), G, 190),
)


def thing_named(name: str) -> Thing:
    """Return the thing of that usual name.

    Raises:
        KeyError: Nothing in the world is called so.
    """
    for thing in THINGS:
        if thing.name == name:
            return thing
    raise KeyError(name)
