"""A hero's body: cloak, limbs, garment and what is held, then the head on top."""

from __future__ import annotations

from training.atlas import load_atlas
from training.canvas import Canvas, Point
from training.heads import HEAD, draw_back_hair, draw_head
from training.heroes import Hero
from training.palette import GARMENT_COLOURS, SKIN_TONES, Colour, darker, lighter
from training.rig import POSES, Pose, Rig

BROWN: Colour = (104, 66, 40)
JEANS: Colour = (64, 78, 120)
HEIGHT = 320


def draw_hero(canvas: Canvas, hero: Hero, x: float, base: float, scale: float, flip: bool) -> None:
    """Paint the hero standing on `base`; at scale 1 about HEIGHT units of the grid tall."""
    pose = POSES[hero.pose]
    rig = Rig(canvas, x, base - pose.lift * scale, scale, flip)
    _draw_cloak(rig, hero)
    draw_back_hair(rig, hero)
    _draw_legs(rig, hero, pose)
    _draw_torso(rig, hero)
    _draw_arms(rig, hero, pose)
    draw_head(rig, hero)
    _draw_held(canvas, rig, hero, pose, scale)


def _draw_cloak(rig: Rig, hero: Hero) -> None:
    if hero.role in ("knight", "superhero") and hero.second_colour:
        cloth = GARMENT_COLOURS[hero.second_colour]
        rig.polygon(((-40, 192), (40, 192), (92, 30), (40, 18), (-40, 18), (-92, 30)), cloth)


def _leg_colours(hero: Hero) -> tuple[Colour, Colour]:
    """Return the colours of legs and shoes."""
    colour = GARMENT_COLOURS[hero.garment_colour]
    if hero.garment in ("armor", "body", "space suit"):
        return darker(colour, 0.12), darker(colour, 0.4)
    if hero.garment in ("suit", "overalls"):
        shoes = GARMENT_COLOURS[hero.second_colour] if hero.role == "superhero" else (50, 40, 44)
        return colour, shoes
    if hero.garment == "dress":
        return SKIN_TONES[hero.skin], darker(colour, 0.4)
    return (BROWN if hero.garment == "tunic" else JEANS), (84, 52, 34)


def _draw_legs(rig: Rig, hero: Hero, pose: Pose) -> None:
    legs, shoes = _leg_colours(hero)
    for leg in (pose.left_leg, pose.right_leg):
        rig.line(leg, 36, legs)
        foot_x, foot_y = leg[-1]
        rig.ellipse(foot_x + (6 if foot_x > 0 else -6), foot_y, 26, 15, shoes)


def _sleeve(hero: Hero) -> Colour:
    if hero.garment == "overalls":
        return GARMENT_COLOURS[hero.second_colour]
    return darker(GARMENT_COLOURS[hero.garment_colour], 0.1)


def _draw_arms(rig: Rig, hero: Hero, pose: Pose) -> None:
    skin = SKIN_TONES[hero.skin]
    hand = {"body": (70, 78, 92), "space suit": (120, 126, 140)}.get(hero.garment, skin)
    for arm in (pose.left_arm, pose.right_arm):
        bare = hero.garment in ("t-shirt", "dress")
        rig.line(arm, 30, skin if bare else _sleeve(hero))
        if bare:
            (x0, y0), (x1, y1) = arm[0], arm[1]
            rig.line(((x0, y0), ((x0 + x1) / 2, (y0 + y1) / 2)), 34, _sleeve(hero))
        rig.ellipse(*arm[-1], 17, 17, hand)


def _draw_torso(rig: Rig, hero: Hero) -> None:
    colour = GARMENT_COLOURS[hero.garment_colour]
    hem = {"dress": 50, "robe": 8, "coat": 46, "tunic": 66}.get(hero.garment, 80)
    flare = {"dress": 78, "robe": 74, "coat": 60, "tunic": 62}.get(hero.garment, 46)
    body: tuple[Point, ...] = ((-38, 194), (38, 194), (54, 174), (46, 110))
    if hero.garment == "overalls":
        rig.polygon((*body, (46, 80), (-46, 80), (-46, 110), (-54, 174)), _sleeve(hero))
        rig.box(-34, 150, 34, 80, colour, 6)
        rig.box(-48, 112, 48, 76, colour, 10)
        for x in (-26, 26):
            rig.line(((x, 190), (x, 146)), 11, colour)
        return
    rig.polygon((*body, (flare, hem), (-flare, hem), (-46, 110), (-54, 174)), colour)
    _draw_details(rig, hero, colour)


def _draw_details(rig: Rig, hero: Hero, colour: Colour) -> None:
    trim = darker(colour, 0.35) if sum(colour) > 240 else lighter(colour, 0.4)
    if hero.garment == "jacket":
        rig.polygon(((-16, 194), (16, 194), (12, 80), (-12, 80)), (246, 246, 248))
        rig.line(((-16, 192), (-13, 84)), 5, trim)
        rig.line(((16, 192), (13, 84)), 5, trim)
    elif hero.garment == "coat":
        rig.line(((0, 186), (0, 50)), 5, trim)
        for y in (160, 130, 100):
            rig.ellipse(12, y, 5, 5, trim)
    elif hero.garment in ("tunic", "robe"):
        rig.box(-48, 112, 48, 96, BROWN if hero.garment == "tunic" else (240, 200, 80), 3)
    elif hero.garment == "dress":
        rig.box(-46, 118, 46, 106, trim, 3)
    elif hero.role == "superhero":
        rig.polygon(((-24, 172), (24, 172), (0, 128)), GARMENT_COLOURS["yellow"])
        rig.box(-46, 98, 46, 82, GARMENT_COLOURS[hero.second_colour], 3)
    elif hero.garment == "suit":
        rig.polygon(((-18, 194), (18, 194), (0, 130)), (250, 250, 250))
        rig.polygon(((-6, 188), (6, 188), (0, 136)), (200, 40, 50))
    elif hero.garment == "armor":
        rig.line(((-44, 140), (0, 128), (44, 140)), 6, trim)
        for side in (-1, 1):
            rig.ellipse(side * 52, 178, 26, 20, lighter(colour, 0.25))
    elif hero.garment in ("body", "space suit"):
        rig.box(-28, 164, 28, 112, darker(colour, 0.5), 6)
        rig.ellipse(-12, 146, 8, 8, (255, 90, 80))
        rig.ellipse(12, 146, 8, 8, (110, 240, 130))
    elif hero.garment == "sweater":
        for y in (150, 122):
            rig.line(((-44, y), (44, y)), 8, trim)


def _draw_held(canvas: Canvas, rig: Rig, hero: Hero, pose: Pose, scale: float) -> None:
    if not hero.held:
        return
    x, y = pose.right_arm[-1]
    if hero.held == "guitar":
        gx, gy = rig.at(6, 64)
        canvas.stamp(load_atlas()["guitar"], gx, gy, 150 * scale)
        rig.ellipse(
            34, 118, 16, 16, SKIN_TONES[hero.skin] if hero.role != "robot" else (70, 78, 92)
        )
    elif hero.held == "sword":
        rig.line(((x, y), (x + 20, y + 116)), 12, (226, 232, 240))
        rig.line(((x - 18, y + 20), (x + 24, y + 12)), 9, (222, 170, 50))
    elif hero.held == "staff":
        rig.line(((x, y - 84), (x + 8, y + 128)), 11, (126, 80, 44))
        rig.ellipse(x + 8, y + 136, 19, 19, (110, 220, 255))
    else:
        rig.line(((x, y - 20), (x + 8, y + 56)), 13, (126, 80, 44))
        rig.ellipse(x + 10, y + 78, 20, 30, (255, 150, 30))
        rig.ellipse(x + 10, y + 72, 11, 18, (255, 236, 110))


def head_height(scale: float) -> float:
    """Return how far above its base a hero's head is centred, on the 512 grid."""
    return HEAD * scale
