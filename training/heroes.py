"""People with attributes: what a hero may look like, and how one is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from training.palette import EYE_COLOURS, GARMENT_COLOURS, HAIR_COLOURS, SKIN_TONES

KINDS = ("woman", "man", "girl", "boy", "old woman", "old man")
POSES = ("standing", "walking", "running", "sitting", "jumping", "celebrating")
ROLES = ("knight", "wizard", "superhero", "adventurer", "hacker", "robot", "astronaut")
HAIR_STYLES = ("short", "long", "ponytail", "pigtails", "mohawk", "messy")
GARMENTS = ("jacket", "coat", "dress", "robe", "tunic", "overalls", "suit", "t-shirt", "sweater")
CLOTH = tuple(name for name in GARMENT_COLOURS if name not in ("silver", "gold"))
HELD = ("sword", "staff", "torch", "guitar")


@dataclass(frozen=True)
class Hero:
    """One hero's looks.

    Attributes:
        role: One of ROLES, or empty for anybody.
        second_colour: Of the cloak, cape or under-shirt where there is one, else empty.
        held: One of HELD, or empty.
        hat, glasses, beard: Whether the hero has them.
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
    hat: bool
    glasses: bool
    beard: bool
    skin: int

    @property
    def shows_hair(self) -> bool:
        """Whether hair can be seen at all, bald heads and helmets apart."""
        return self.role not in ("robot", "astronaut", "knight") and self.hair_style != "bald"


def sample_hero(rng: Random) -> Hero:
    """Choose a hero; about two in five have a role."""
    if rng.random() < 0.42:
        return _sample_role(rng, rng.choice(ROLES))
    kind = rng.choice(KINDS)
    female = kind in ("woman", "girl", "old woman")
    styles = ("long", "ponytail", "pigtails", "short") if female else ("short", "messy", "mohawk")
    garments = [g for g in GARMENTS if female or g != "dress"]
    style = rng.choice(styles)
    if not female and rng.random() < 0.06:
        style = "bald"
    garment = rng.choice(garments)
    old = kind.startswith("old")
    return Hero(
        kind=kind,
        role="",
        hair_colour="grey" if old and rng.random() < 0.7 else rng.choice(tuple(HAIR_COLOURS)),
        hair_style=style,
        garment=garment,
        garment_colour=rng.choice(CLOTH),
        second_colour=_under_shirt(rng, garment),
        held=rng.choice(HELD) if rng.random() < 0.1 else "",
        pose=rng.choice(POSES),
        eyes=rng.choice(tuple(EYE_COLOURS)),
        hat=rng.random() < 0.08,
        glasses=rng.random() < 0.12,
        beard=kind in ("man", "old man") and rng.random() < 0.25,
        skin=rng.randrange(len(SKIN_TONES)),
    )


def _under_shirt(rng: Random, garment: str) -> str:
    return rng.choice(("yellow", "white", "red", "green")) if garment == "overalls" else ""


def _sample_role(rng: Random, role: str) -> Hero:
    """Choose a hero of that role, dressed as the role dresses."""
    garment, colour, second, held = _outfit(rng, role)
    wizard = role == "wizard"
    style = {"hacker": "mohawk", "adventurer": "messy"}.get(role, "short")
    hair = "grey" if wizard and rng.random() < 0.6 else rng.choice(tuple(HAIR_COLOURS))
    female = rng.random() < 0.4 and not wizard
    return Hero(
        kind="woman" if female else ("old man" if wizard else "man"),
        role=role,
        hair_colour=hair,
        hair_style="long" if female and role in ("superhero", "adventurer") else style,
        garment=garment,
        garment_colour=colour,
        second_colour=second,
        held=held,
        pose=rng.choice(POSES),
        eyes=rng.choice(tuple(EYE_COLOURS)),
        hat=wizard,
        glasses=role == "hacker",
        beard=wizard,
        skin=rng.randrange(len(SKIN_TONES)),
    )


def _outfit(rng: Random, role: str) -> tuple[str, str, str, str]:
    """Return garment, its colour, the second colour and what is held."""
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
        return "tunic", cloth, "", rng.choice(("torch", "sword", "", ""))
    if role == "hacker":
        return "jacket", cloth if rng.random() < 0.5 else "black", "", ""
    if role == "robot":
        return (
            "body",
            rng.choice(("silver", "blue", "red", "yellow", "green")),
            "",
            rng.choice(("guitar", "", "")),
        )
    return "space suit", rng.choice(("white", "orange")), "", ""
