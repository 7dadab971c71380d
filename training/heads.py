"""A hero's head: hair, face, hats and helmets, around (0, HEAD) in figure units."""

from __future__ import annotations

from training.heroes import Hero
from training.palette import EYE_COLOURS, GARMENT_COLOURS, HAIR_COLOURS, SKIN_TONES, darker
from training.rig import Rig

HEAD = 244
WHITE = (255, 255, 255)
DARK = (44, 32, 40)


def draw_back_hair(rig: Rig, hero: Hero) -> None:
    """Paint the hair that falls behind neck and shoulders."""
    if not hero.shows_hair:
        return
    hair = HAIR_COLOURS[hero.hair_colour]
    if hero.hair_style == "long":
        rig.ellipse(0, HEAD + 4, 70, 70, hair)
        rig.box(-70, HEAD, 70, 146, hair, 30)
    elif hero.hair_style == "ponytail":
        rig.ellipse(66, HEAD + 34, 30, 30, hair)
        rig.polygon(((56, HEAD + 50), (98, HEAD + 30), (92, 160), (72, 168)), hair)
    elif hero.hair_style == "pigtails":
        for side in (-1, 1):
            rig.ellipse(side * 78, HEAD + 6, 26, 32, hair)
            rig.ellipse(side * 86, HEAD - 36, 18, 28, hair)


def draw_head(rig: Rig, hero: Hero) -> None:
    """Paint the whole head from the neck up."""
    if hero.role == "robot":
        _draw_robot_head(rig, hero)
        return
    skin = SKIN_TONES[hero.skin]
    if hero.role == "astronaut":
        rig.ellipse(0, HEAD, 80, 78, GARMENT_COLOURS[hero.garment_colour])
        rig.ellipse(0, HEAD - 2, 64, 60, (170, 220, 250))
    for side in (-1, 1):
        rig.ellipse(side * 58, HEAD - 6, 12, 14, darker(skin, 0.08))
    rig.ellipse(0, HEAD, 58, 58, skin)
    _draw_face(rig, hero)
    if hero.role == "knight":
        _draw_helmet(rig, hero)
    elif hero.role != "astronaut":
        _draw_front_hair(rig, hero)
    if hero.hat:
        _draw_hat(rig, hero)


def _draw_face(rig: Rig, hero: Hero) -> None:
    skin, iris = SKIN_TONES[hero.skin], EYE_COLOURS[hero.eyes]
    if hero.beard:
        hair = HAIR_COLOURS[hero.hair_colour]
        low = 150 if hero.role == "wizard" else 184
        rig.polygon(
            ((-54, HEAD - 10), (54, HEAD - 10), (24, low + 10), (0, low), (-24, low + 10)), hair
        )
        rig.ellipse(0, HEAD - 20, 52, 34, hair)
        rig.ellipse(0, HEAD + 2, 46, 22, skin)
    if hero.role == "superhero":
        rig.box(-52, HEAD + 16, 52, HEAD - 12, GARMENT_COLOURS[hero.garment_colour], 12)
    for side in (-1, 1):
        x = side * 22
        rig.ellipse(x, HEAD, 13, 15, WHITE)
        rig.ellipse(x, HEAD - 1, 9, 11, iris)
        rig.ellipse(x, HEAD - 1, 4.5, 5.5, DARK)
        if not hero.beard:
            rig.ellipse(side * 38, HEAD - 24, 9, 6, (244, 150, 140))
    rig.smile(0, HEAD - 22, 18, 14, (150, 40, 50))
    if hero.glasses:
        _draw_glasses(rig, hero)


def _draw_glasses(rig: Rig, hero: Hero) -> None:
    if hero.role == "hacker":
        rig.box(-60, HEAD + 24, 60, HEAD - 18, (30, 30, 40), 16)
        rig.box(-48, HEAD + 16, 48, HEAD - 10, (60, 230, 255), 10)
        return
    rig.box(-42, HEAD + 16, -4, HEAD - 14, DARK, 12)
    rig.box(4, HEAD + 16, 42, HEAD - 14, DARK, 12)
    rig.line(((-58, HEAD + 4), (58, HEAD + 4)), 5, DARK)


def _draw_front_hair(rig: Rig, hero: Hero) -> None:
    if not hero.shows_hair:
        return
    hair = HAIR_COLOURS[hero.hair_colour]
    if hero.hair_style == "mohawk":
        spikes = ((-22, HEAD + 50), (-30, HEAD + 104), (-6, HEAD + 92), (4, HEAD + 118))
        rig.polygon((*spikes, (18, HEAD + 92), (34, HEAD + 102), (22, HEAD + 50)), hair)
        rig.ellipse(0, HEAD + 52, 24, 14, hair)
        return
    fringe = ((-60, HEAD + 2), (-64, HEAD + 34), (-36, HEAD + 66), (0, HEAD + 76))
    right = ((36, HEAD + 66), (64, HEAD + 34), (60, HEAD + 2), (44, HEAD + 28))
    rig.polygon((*fringe, *right, (0, HEAD + 34), (-44, HEAD + 26)), hair)
    if hero.hair_style == "messy":
        for x, y in ((-54, 56), (-24, 78), (10, 86), (40, 70), (60, 44)):
            tip = (x * 1.16, HEAD + y * 1.16)
            rig.polygon(((x - 20, HEAD + y - 22), tip, (x + 18, HEAD + y - 26)), hair)


def _draw_hat(rig: Rig, hero: Hero) -> None:
    colour = GARMENT_COLOURS[hero.garment_colour]
    band = darker(colour, 0.35)
    if hero.role == "wizard":
        rig.polygon(((-52, HEAD + 40), (52, HEAD + 40), (16, HEAD + 138)), colour)
        rig.ellipse(0, HEAD + 40, 84, 16, band)
        rig.ellipse(0, HEAD + 45, 70, 9, colour)
        return
    rig.box(-44, HEAD + 92, 44, HEAD + 40, colour, 18)
    rig.box(-46, HEAD + 56, 46, HEAD + 40, band, 2)
    rig.ellipse(0, HEAD + 40, 80, 12, colour)


def _draw_helmet(rig: Rig, hero: Hero) -> None:
    metal = GARMENT_COLOURS[hero.garment_colour]
    rig.polygon(
        ((-8, HEAD + 62), (-26, HEAD + 104), (50, HEAD + 96), (14, HEAD + 62)), (220, 40, 50)
    )
    dome = ((-64, HEAD - 30), (-66, HEAD + 16), (-46, HEAD + 54), (0, HEAD + 70))
    side = ((46, HEAD + 54), (66, HEAD + 16), (64, HEAD - 30), (48, HEAD - 34), (48, HEAD + 18))
    rig.polygon((*dome, *side, (-48, HEAD + 18), (-48, HEAD - 34)), metal)
    rig.box(-50, HEAD + 26, 50, HEAD + 16, darker(metal, 0.3), 4)


def _draw_robot_head(rig: Rig, hero: Hero) -> None:
    metal = GARMENT_COLOURS[hero.garment_colour]
    rig.line(((0, HEAD + 50), (0, HEAD + 86)), 6, darker(metal, 0.4))
    rig.ellipse(0, HEAD + 88, 11, 11, (255, 70, 60))
    for side in (-1, 1):
        rig.box(side * 66 - 8, HEAD + 16, side * 66 + 8, HEAD - 16, darker(metal, 0.4), 4)
    rig.box(-62, HEAD + 54, 62, HEAD - 46, metal, 16)
    rig.box(-48, HEAD + 36, 48, HEAD - 32, (36, 44, 60), 12)
    for side in (-1, 1):
        rig.ellipse(side * 22, HEAD + 10, 13, 13, (90, 240, 255))
    rig.line(((-18, HEAD - 16), (18, HEAD - 16)), 6, (90, 240, 255))
