"""People with attributes: what a hero may look like, and how one is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from training.palette import EYE_COLOURS, GARMENT_COLOURS, HAIR_COLOURS

KINDS = ("woman", "man", "girl", "boy", "old woman", "old man")
POSES = ("standing", "walking", "running", "sitting", "jumping", "celebrating")
ROLES = ("knight", "wizard", "superhero", "adventurer", "hacker", "robot", "astronaut")
TELLING_ROLES = ("knight", "wizard", "superhero", "robot", "astronaut")
"""Those whose clothes nobody else wears; an adventurer may look like any man in a tunic."""
HAIR_STYLES_OF = {
    "woman": ("long", "ponytail", "pigtails", "bob"),
    "man": ("short", "messy", "mohawk", "bald"),
    "girl": ("long", "ponytail", "pigtails"),
    "boy": ("short", "messy"),
    "old woman": ("bun",),
    "old man": ("balding",),
}
HAIR_STYLES = (
    *("long", "ponytail", "pigtails", "bob", "bun"),
    *("short", "messy", "mohawk", "bald", "balding"),
)
FEMALE = ("woman", "girl", "old woman")
GARMENTS = ("jacket", "coat", "dress", "robe", "tunic", "overalls", "suit", "t-shirt", "sweater")
CLOTH = tuple(name for name in GARMENT_COLOURS if name not in ("silver", "gold"))
HELD = ("sword", "staff", "torch", "guitar")
EYEWEAR = ("glasses", "sunglasses", "goggles")
BEARDS = ("beard", "long beard")


@dataclass(frozen=True)
class Hero:
    """One hero's looks.

    Attributes:
        role: One of ROLES, or empty for anybody.
        second_colour: Of the cloak or cape, or of the shirt under overalls; empty for neither.
        held: One of HELD, or empty.
        eyewear: One of EYEWEAR, or empty.
        beard: One of BEARDS, or empty.
        hat, headphones: Whether the hero wears them, never both.
        skin: Index into SKIN_TONES.
    """

    kind: str
    role: str
    hair_colour: str
    hair_style: str
    garment: str
    garment_colour: str
    second_colour: str
    held: str
    pose: str
    eyes: str
    eyewear: str
    beard: str
    hat: bool
    headphones: bool
    skin: int

    @property
    def shows_hair(self) -> bool:
        """Whether hair can be seen at all, bald heads and helmets apart."""
        return self.role not in ("robot", "astronaut", "knight") and self.hair_style != "bald"

    @property
    def cloak(self) -> str:
        """The colour of the cloak or cape; empty where there is none."""
        return "" if self.garment == "overalls" else self.second_colour

    @property
    def is_child(self) -> bool:
        """Whether this is a girl or a boy."""
        return self.kind in ("girl", "boy")

    @property
    def is_female(self) -> bool:
        """Whether this is a girl or a woman; robots are neither."""
        return self.kind in FEMALE and self.role != "robot"

    @property
    def subject(self) -> str:
        """Who this is at a glance: the role if it shows, else woman, man, girl, boy or elder."""
        if self.role in TELLING_ROLES:
            return self.role
        return "elder" if self.kind.startswith("old") else self.kind


def sample_hero(rng: Random) -> Hero:
    """Choose a hero; about two in five have a role."""
    if rng.random() < 0.4:
        return _sample_role(rng, rng.choice(ROLES))
    kind = rng.choice(KINDS)
    style = rng.choice(HAIR_STYLES_OF[kind])
    if style == "bald" and rng.random() < 0.6:
        style = "short"
    old = kind.startswith("old")
    garment = rng.choice([g for g in GARMENTS if kind in FEMALE or g != "dress"])
    hat = style not in ("mohawk", "bun") and rng.random() < 0.08
    return Hero(
        kind=kind,
        role="",
        hair_colour="grey" if old else rng.choice(tuple(HAIR_COLOURS)),
        hair_style=style,
        garment=garment,
        garment_colour=rng.choice(CLOTH),
        second_colour=_second_colour(rng, garment),
        held=rng.choice(HELD) if rng.random() < 0.12 else "",
        pose=rng.choice(POSES),
        eyes=rng.choice(tuple(EYE_COLOURS)),
        eyewear=_eyewear(rng, kind),
        beard=_beard(rng, kind),
        hat=hat,
        headphones=not hat and style != "mohawk" and rng.random() < 0.07,
        skin=_skin(rng),
    )


def _second_colour(rng: Random, garment: str) -> str:
    if garment == "overalls":
        return rng.choice(("yellow", "white", "red", "green"))
    return rng.choice(CLOTH) if rng.random() < 0.1 else ""


def _skin(rng: Random) -> int:
    return rng.choice((0, 0, 1, 2))


def _eyewear(rng: Random, kind: str) -> str:
    if kind == "old woman":
        return "glasses"
    chance = rng.random()
    return next((worn for worn, most in _EYEWEAR_SHARES if chance < most), "")


_EYEWEAR_SHARES = (("glasses", 0.08), ("sunglasses", 0.14), ("goggles", 0.18))


def _beard(rng: Random, kind: str) -> str:
    if kind == "old man":
        return "long beard" if rng.random() < 0.4 else "beard"
    if kind == "man" and rng.random() < 0.28:
        return "long beard" if rng.random() < 0.3 else "beard"
    return ""


def _sample_role(rng: Random, role: str) -> Hero:
    """Choose a hero of that role, dressed as the role dresses."""
    garment, colour, cloak, held = _outfit(rng, role)
    female = rng.random() < 0.35 and role not in ("wizard", "robot")
    kind = "woman" if female else "man"
    style = {"hacker": "mohawk", "adventurer": "messy"}.get(role, "short")
    if female:
        style = rng.choice(("long", "ponytail", "bob"))
    elif role in ("hacker", "adventurer", "superhero") and rng.random() < 0.25:
        style = rng.choice(("short", "messy"))
    wizard = role == "wizard"
    return Hero(
        kind="old man" if wizard else kind,
        role=role,
        hair_colour="grey" if wizard else rng.choice(tuple(HAIR_COLOURS)),
        hair_style="balding" if wizard else style,
        garment=garment,
        garment_colour=colour,
        second_colour=cloak,
        held=held,
        pose=rng.choice(POSES),
        eyes=rng.choice(tuple(EYE_COLOURS)),
        eyewear="goggles" if role == "hacker" else "",
        beard="long beard" if wizard else "",
        hat=wizard,
        headphones=False,
        skin=_skin(rng),
    )


def _outfit(rng: Random, role: str) -> tuple[str, str, str, str]:
    """Return garment, its colour, the cloak's colour and what is held."""
    cloth, other = rng.choice(CLOTH), rng.choice(CLOTH)
    if role == "knight":
        metal = "silver" if rng.random() < 0.7 else "gold"
        cloak = other if rng.random() < 0.75 else ""
        return "armor", metal, cloak, "sword" if rng.random() < 0.5 else ""
    if role == "wizard":
        return "robe", cloth, "", "staff" if rng.random() < 0.7 else ""
    if role == "superhero":
        return "suit", cloth, other, ""
    if role == "adventurer":
        cloak = other if rng.random() < 0.12 else ""
        return "tunic", cloth, cloak, rng.choice(("torch", "sword", "", ""))
    if role == "hacker":
        return "jacket", cloth if rng.random() < 0.5 else "black", "", ""
    if role == "robot":
        metal = rng.choice(("silver", "blue", "red", "yellow", "green"))
        return "body", metal, "", rng.choice(("guitar", "", ""))
    return "space suit", rng.choice(("white", "orange")), "", ""
