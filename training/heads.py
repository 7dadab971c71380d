"""A hero's head: hair, face, hats and helmets, around (0, HEAD) in figure units."""

from __future__ import annotations

from training.heroes import Hero
from training.palette import (
    EYE_COLOURS,
    GARMENT_COLOURS,
    HAIR_COLOURS,
    SKIN_TONES,
    Colour,
    darker,
    lighter,
    mix,
)
from training.rig import Rig

HEAD = 244
CHIN = HEAD - 58
WHITE: Colour = (250, 248, 244)
DARK: Colour = (44, 32, 40)
LIPS: Colour = (214, 40, 62)


def head_top(hero: Hero) -> float:
    """Return how high a head reaches with hair, hat or crest, in figure units."""
    if hero.role == "wizard":
        return HEAD + 126
    if hero.hair_style == "mohawk" and hero.shows_hair:
        return HEAD + 108
    if hero.hat or hero.role in ("robot", "knight") or hero.hair_style == "bun":
        return HEAD + 102
    return HEAD + 88


def draw_back_hair(rig: Rig, hero: Hero) -> None:
    """Paint the hair that falls behind neck and shoulders."""
    if not hero.shows_hair:
        return
    hair = HAIR_COLOURS[hero.hair_colour]
    shade = darker(hair, 0.12)
    if hero.hair_style == "long":
        rig.ellipse(0, HEAD + 6, 74, 72, hair)
        rig.box(-76, HEAD + 6, 76, 128, hair, 34)
        for side in (-1, 1):
            rig.line(((side * 62, HEAD - 20), (side * 60, 148)), 5, shade)
    elif hero.hair_style == "ponytail":
        tail = ((52, HEAD + 62), (104, HEAD + 52), (122, HEAD - 6), (104, 152), (90, 142))
        rig.polygon((*tail, (90, HEAD - 6), (62, HEAD + 22)), hair)
        rig.line(((100, HEAD + 40), (108, HEAD - 10), (98, 166)), 5, shade)
        rig.ellipse(60, HEAD + 42, 13, 15, LIPS)
    elif hero.hair_style == "pigtails":
        for side in (-1, 1):
            tail = ((side * 60, HEAD + 34), (side * 108, HEAD + 26), (side * 112, HEAD - 50))
            rig.polygon((*tail, (side * 92, HEAD - 76), (side * 74, HEAD - 40)), hair)
            rig.ellipse(side * 92, HEAD - 10, 24, 42, hair)
            rig.ellipse(side * 66, HEAD + 26, 12, 14, LIPS)
    elif hero.hair_style == "bob":
        rig.ellipse(0, HEAD + 8, 76, 70, hair)
        rig.box(-76, HEAD + 10, 76, HEAD - 58, hair, 20)
    elif hero.hair_style == "bun":
        rig.ellipse(0, HEAD + 78, 31, 25, hair)
        rig.ellipse(0, HEAD + 78, 17, 12, shade)
        rig.ellipse(0, HEAD + 6, 66, 66, hair)
    elif hero.hair_style == "balding":
        for side in (-1, 1):
            rig.ellipse(side * 56, HEAD + 4, 24, 32, hair)
    elif hero.hair_style in ("short", "messy"):
        rig.ellipse(0, HEAD + 12, 66, 60, hair)


def draw_head(rig: Rig, hero: Hero) -> None:
    """Paint the whole head from the neck up."""
    if hero.role == "robot":
        _draw_robot_head(rig, hero)
        return
    skin = SKIN_TONES[hero.skin]
    if hero.role == "astronaut":
        suit = GARMENT_COLOURS[hero.garment_colour]
        rig.ellipse(0, HEAD, 82, 80, suit)
        rig.ellipse(0, HEAD, 68, 65, darker(suit, 0.35))
        rig.ellipse(0, HEAD, 63, 60, (170, 220, 250))
    for side in (-1, 1):
        rig.ellipse(side * 57, HEAD - 6, 12, 14, darker(skin, 0.12))
    rig.ellipse(0, HEAD, 58, 58, skin)
    _draw_face(rig, hero, skin)
    if hero.role == "knight":
        _draw_helmet(rig, hero)
    elif hero.role != "astronaut":
        _draw_front_hair(rig, hero)
    if hero.hat:
        _draw_hat(rig, hero)
    if hero.headphones:
        _draw_headphones(rig)


def _draw_face(rig: Rig, hero: Hero, skin: Colour) -> None:
    if hero.beard:
        _draw_beard(rig, hero, skin)
    if hero.role == "superhero":
        rig.box(-56, HEAD + 18, 56, HEAD - 14, GARMENT_COLOURS[hero.garment_colour], 14)
    for side in (-1, 1):
        _draw_eye(rig, hero, side, skin)
        if hero.is_child:
            rig.ellipse(side * 40, HEAD - 25, 12, 9, mix(skin, (246, 90, 90), 0.55))
    rig.ellipse(0, HEAD - 14, 6, 4.5, darker(skin, 0.18))
    if hero.is_female and not hero.is_child:
        upper = ((-19, HEAD - 24), (-7, HEAD - 28), (0, HEAD - 30), (7, HEAD - 28), (19, HEAD - 24))
        rig.polygon((*upper, (12, HEAD - 37), (0, HEAD - 42), (-12, HEAD - 37)), LIPS)
    else:
        mouth = (120, 34, 44) if hero.skin < 2 else (70, 22, 30)
        rig.smile(0, HEAD - 26, 17, 13, mouth)
    if hero.eyewear:
        _draw_eyewear(rig, hero)


def _draw_eye(rig: Rig, hero: Hero, side: int, skin: Colour) -> None:
    """Paint one eye: mostly iris, so that its colour survives a small picture."""
    x, y, iris = side * 23, HEAD + 1, EYE_COLOURS[hero.eyes]
    rig.ellipse(x, y, 14, 16, mix(WHITE, skin, 0.12 * hero.skin))
    rig.ellipse(x, y - 1, 11, 13.5, iris)
    rig.ellipse(x, y - 1, 5.5, 7, (22, 18, 26))
    rig.ellipse(x - 4, y + 5, 3.6, 3.6, (255, 255, 255))
    if hero.is_female:
        lid = ((x - side * 12, y + 13), (x, y + 17), (x + side * 12, y + 12))
        rig.line((*lid, (x + side * 20, y + 11)), 4.5, DARK)
        if not hero.is_child:
            rig.line(((x + side * 14, y + 6), (x + side * 22, y + 3)), 4, DARK)
    brow = HAIR_COLOURS[hero.hair_colour] if hero.shows_hair else DARK
    shade = brow if sum(brow) < 260 else darker(brow, 0.4)
    if hero.is_female:
        arch = ((x - side * 8, y + 27), (x + side * 3, y + 30), (x + side * 14, y + 26))
        rig.line(arch, 4, shade)
    else:
        rig.line(((x - 12, y + 23), (x + 12, y + 23)), 6 if hero.is_child else 8, shade)


def _draw_beard(rig: Rig, hero: Hero, skin: Colour) -> None:
    hair = HAIR_COLOURS[hero.hair_colour]
    low = 132 if hero.beard == "long beard" else 174
    outline = ((-57, HEAD + 2), (57, HEAD + 2), (52, HEAD - 34), (26, low + 8), (0, low))
    rig.polygon((*outline, (-26, low + 8), (-52, HEAD - 34)), hair)
    rig.ellipse(0, HEAD + 6, 45, 28, skin)
    rig.ellipse(0, HEAD - 22, 25, 9, lighter(hair, 0.15))
    rig.ellipse(0, HEAD - 32, 20, 10, skin)


def _draw_eyewear(rig: Rig, hero: Hero) -> None:
    if hero.eyewear == "goggles":
        rig.box(-62, HEAD + 26, 62, HEAD - 18, (30, 30, 40), 16)
        rig.box(-49, HEAD + 17, 49, HEAD - 9, (60, 230, 255), 10)
        rig.line(((-34, HEAD + 9), (-14, HEAD + 9)), 6, (200, 250, 255))
    elif hero.eyewear == "sunglasses":
        rig.line(((-58, HEAD + 10), (58, HEAD + 10)), 6, (20, 18, 24))
        for side in (-1, 1):
            rig.box(side * 25 - 23, HEAD + 17, side * 25 + 23, HEAD - 15, (20, 18, 24), 13)
            rig.line(((side * 25 - 10, HEAD + 8), (side * 25 - 2, HEAD + 8)), 5, (110, 116, 134))
    else:
        for side in (-1, 1):
            rig.ring(side * 24, HEAD + 1, 22, 22, DARK)
            rig.line(((side * 46, HEAD + 4), (side * 60, HEAD + 8)), 5, DARK)
        rig.line(((-4, HEAD + 4), (4, HEAD + 4)), 5, DARK)


def _draw_front_hair(rig: Rig, hero: Hero) -> None:
    if not hero.shows_hair or hero.hair_style == "balding":
        return
    hair = HAIR_COLOURS[hero.hair_colour]
    if hero.hair_style == "mohawk":
        spikes = ((-24, HEAD + 44), (-34, HEAD + 92), (-12, HEAD + 84), (0, HEAD + 108))
        rig.polygon((*spikes, (12, HEAD + 84), (34, HEAD + 92), (24, HEAD + 44)), hair)
        rig.ellipse(0, HEAD + 47, 25, 14, hair)
        return
    left = ((-60, HEAD - 2), (-67, HEAD + 30), (-40, HEAD + 66), (0, HEAD + 78))
    right = ((40, HEAD + 66), (67, HEAD + 30), (60, HEAD - 2), (46, HEAD + 28))
    if hero.hair_style in ("long", "bun"):
        rig.polygon((*left, *right, (6, HEAD + 52), (-6, HEAD + 52), (-46, HEAD + 28)), hair)
    elif hero.hair_style in ("bob", "pigtails"):
        rig.polygon((*left, *right, (44, HEAD + 30), (-44, HEAD + 30)), hair)
    else:
        rig.polygon((*left, *right, (-10, HEAD + 46), (-44, HEAD + 24)), hair)
    if hero.hair_style == "bob":
        for side in (-1, 1):
            rig.box(side * 64 - 14, HEAD + 34, side * 64 + 14, HEAD - 50, hair, 12)
    if hero.hair_style == "messy":
        for x, y in ((-64, 30), (-52, 60), (-22, 82), (14, 88), (44, 72), (64, 40)):
            tip = (x * 1.24, HEAD + y * 1.14)
            rig.polygon(((x * 0.8 - 18, HEAD + y - 20), tip, (x * 0.8 + 18, HEAD + y - 24)), hair)


def _draw_hat(rig: Rig, hero: Hero) -> None:
    colour = GARMENT_COLOURS[hero.garment_colour]
    band = darker(colour, 0.35)
    if hero.role == "wizard":
        rig.polygon(((-54, HEAD + 38), (54, HEAD + 38), (14, HEAD + 126)), colour)
        rig.ellipse(0, HEAD + 38, 88, 16, band)
        rig.ellipse(0, HEAD + 43, 74, 9, colour)
        rig.ellipse(0, HEAD + 72, 9, 9, (255, 220, 90))
        return
    rig.box(-46, HEAD + 98, 46, HEAD + 40, colour, 18)
    rig.box(-48, HEAD + 58, 48, HEAD + 42, band, 2)
    rig.ellipse(0, HEAD + 42, 86, 12, colour)


def _draw_headphones(rig: Rig) -> None:
    dark: Colour = (48, 48, 58)
    band = tuple((x, HEAD + y) for x, y in ((-68, 6), (-62, 46), (-36, 76), (0, 86)))
    rig.line((*band, (36, HEAD + 76), (62, HEAD + 46), (68, HEAD + 6)), 10, dark)
    for side in (-1, 1):
        rig.box(side * 69 - 15, HEAD + 26, side * 69 + 15, HEAD - 24, dark, 13)
        rig.ellipse(side * 69, HEAD + 1, 9, 15, (255, 90, 70))


def _draw_helmet(rig: Rig, hero: Hero) -> None:
    metal = GARMENT_COLOURS[hero.garment_colour]
    plume = ((-8, HEAD + 60), (-30, HEAD + 98), (10, HEAD + 102), (54, HEAD + 88))
    rig.polygon((*plume, (58, HEAD + 66), (14, HEAD + 60)), (220, 40, 50))
    dome = ((-66, HEAD - 34), (-68, HEAD + 16), (-46, HEAD + 56), (0, HEAD + 72))
    side = ((46, HEAD + 56), (68, HEAD + 16), (66, HEAD - 34), (48, HEAD - 40), (48, HEAD + 22))
    rig.polygon((*dome, *side, (-48, HEAD + 22), (-48, HEAD - 40)), metal)
    rig.box(-50, HEAD + 34, 50, HEAD + 22, darker(metal, 0.35), 4)
    rig.line(((0, HEAD + 36), (0, HEAD + 66)), 7, darker(metal, 0.2))


def _draw_robot_head(rig: Rig, hero: Hero) -> None:
    metal = GARMENT_COLOURS[hero.garment_colour]
    rig.line(((0, HEAD + 50), (0, HEAD + 84)), 6, darker(metal, 0.4))
    rig.ellipse(0, HEAD + 88, 12, 12, (255, 70, 60))
    for side in (-1, 1):
        rig.box(side * 66 - 8, HEAD + 16, side * 66 + 8, HEAD - 16, darker(metal, 0.4), 4)
    rig.box(-62, HEAD + 54, 62, HEAD - 50, metal, 16)
    rig.box(-50, HEAD + 38, 50, HEAD - 36, (36, 44, 60), 12)
    for side in (-1, 1):
        rig.ellipse(side * 22, HEAD + 10, 14, 15, (90, 240, 255))
        rig.ellipse(side * 22 - 4, HEAD + 15, 4, 4, (255, 255, 255))
    rig.smile(0, HEAD - 10, 20, 14, (90, 240, 255))
