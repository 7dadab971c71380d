"""A hero's body: cloak, limbs, garment and what is held, then the head on top."""

from __future__ import annotations

from training.atlas import load_atlas
from training.canvas import Canvas, Point
from training.heads import CHIN, draw_back_hair, draw_head, head_top
from training.heroes import Hero
from training.palette import GARMENT_COLOURS, SKIN_TONES, Colour, darker, lighter
from training.rig import POSES, Pose, Rig

BROWN: Colour = (104, 66, 40)
JEANS: Colour = (64, 78, 120)
STOOL: Colour = (150, 96, 52)
CHILD_HEAD = 1.16
_PLAYING: tuple[tuple[Point, ...], ...] = (
    ((-46, 176), (-80, 140), (-16, 112)),
    ((46, 176), (88, 138), (58, 166)),
)
SKIRTS = ("dress", "robe", "coat", "tunic")


def hero_top(hero: Hero) -> float:
    """Return how far above its base a hero reaches at scale 1, held things included."""
    pose = POSES[hero.pose]
    top = head_top(hero)
    if hero.is_child:
        top = CHIN + (top - CHIN) * CHILD_HEAD
    hand = pose.right_arm[-1][1]
    reach = {
        "sword": 92 if pose.arms_up else 118,
        "staff": 40 if pose.arms_up else 152,
        "torch": 110,
    }.get(hero.held, 20)
    return max(top, hand + reach) + pose.lift


def draw_hero(canvas: Canvas, hero: Hero, x: float, base: float, scale: float, flip: bool) -> None:
    """Paint the hero standing on `base`; at scale 1 about 320 units of the grid tall."""
    pose = POSES[hero.pose]
    x -= (-1 if flip else 1) * 120 * pose.lean * scale
    rig = Rig(canvas, x, base - pose.lift * scale, scale, flip, pose.lean)
    head = rig.grown(CHIN, CHILD_HEAD) if hero.is_child else rig
    _draw_cloak(rig, hero)
    if hero.pose == "sitting":
        _draw_stool(rig)
    draw_back_hair(head, hero)
    over = hero.pose == "sitting" and hero.garment not in SKIRTS
    if not over:
        _draw_legs(rig, hero, pose)
    _draw_torso(rig, hero, pose)
    if over:
        _draw_legs(rig, hero, pose)
    _draw_collar(rig, hero)
    if hero.held == "guitar":
        x, y = rig.at(8, 62)
        canvas.stamp(load_atlas()["guitar"], x, y, 150 * scale, flip)
    _draw_arms(rig, hero, pose)
    draw_head(head, hero)
    _draw_held(rig, hero, pose)


def _draw_stool(rig: Rig) -> None:
    """Paint the wooden box that a sitting hero sits on."""
    rig.box(-92, 86, 92, 28, STOOL, 5)
    rig.box(-98, 92, 98, 74, lighter(STOOL, 0.22), 5)
    rig.box(-92, 56, 92, 50, darker(STOOL, 0.3), 0)


def _draw_cloak(rig: Rig, hero: Hero) -> None:
    if hero.cloak:
        cloth = GARMENT_COLOURS[hero.cloak]
        low = 40 if hero.pose == "sitting" else 22
        hem = ((104, low + 14), (52, low), (0, low + 8), (-52, low), (-104, low + 14))
        rig.polygon(((-50, 192), (50, 192), *hem), cloth)
        for x in (-74, 74):
            rig.line(((x * 0.7, 140), (x, low + 14)), 4, darker(cloth, 0.25))


def _draw_collar(rig: Rig, hero: Hero) -> None:
    """Paint the part of a cloak that lies on the shoulders."""
    if hero.cloak:
        cloth = GARMENT_COLOURS[hero.cloak]
        for side in (-1, 1):
            rig.polygon(((0, 172), (side * 10, 194), (side * 46, 196), (side * 58, 168)), cloth)
        rig.ellipse(0, 176, 9, 9, GARMENT_COLOURS["gold"])


def _leg_colours(hero: Hero) -> tuple[Colour, Colour]:
    """Return the colours of legs and shoes."""
    colour = GARMENT_COLOURS[hero.garment_colour]
    if hero.garment in ("armor", "body", "space suit"):
        return darker(colour, 0.12), darker(colour, 0.4)
    if hero.garment in ("suit", "overalls"):
        shoes = GARMENT_COLOURS[hero.cloak] if hero.role == "superhero" else (50, 40, 44)
        return colour if hero.garment == "overalls" else darker(colour, 0.08), shoes
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
    arms = (pose.left_arm, pose.right_arm)
    if hero.held == "guitar" and not pose.arms_up:
        arms = _PLAYING
    for arm in arms:
        bare = hero.garment in ("t-shirt", "dress")
        rig.line(arm, 30, skin if bare else _sleeve(hero))
        if bare:
            (x0, y0), (x1, y1) = arm[0], arm[1]
            rig.line(((x0, y0), ((x0 + x1) / 2, (y0 + y1) / 2)), 34, _sleeve(hero))
        rig.ellipse(*arm[-1], 17, 17, hand)


def _draw_torso(rig: Rig, hero: Hero, pose: Pose) -> None:
    colour = GARMENT_COLOURS[hero.garment_colour]
    hem = {"dress": 50, "robe": 14, "coat": 44, "tunic": 66}.get(hero.garment, 80)
    flare = {"dress": 80, "robe": 76, "coat": 62, "tunic": 62}.get(hero.garment, 46)
    hem = max(hem, pose.hem) if hero.garment in SKIRTS else hem
    if hero.pose == "sitting" and hero.garment in SKIRTS:
        flare = 76
    waist, shoulder = (38, 48) if hero.is_female else (46, 56)
    left, right = ((-waist, 116), (-shoulder, 174)), ((shoulder, 174), (waist, 116))
    body: tuple[Point, ...] = ((-38, 194), (38, 194), *right)
    if hero.garment == "overalls":
        rig.polygon((*body, (46, 80), (-46, 80), *left), _sleeve(hero))
        rig.box(-34, 150, 34, 80, colour, 6)
        rig.box(-48, 112, 48, 76, colour, 10)
        for x in (-26, 26):
            rig.line(((x, 190), (x, 146)), 11, colour)
        return
    rig.polygon((*body, (flare, hem), (-flare, hem), *left), colour)
    _draw_details(rig, hero, colour, hem)


def _draw_details(rig: Rig, hero: Hero, colour: Colour, hem: float) -> None:
    trim = darker(colour, 0.35) if sum(colour) > 240 else lighter(colour, 0.4)
    if hero.garment == "jacket":
        rig.polygon(((-16, 194), (16, 194), (12, 80), (-12, 80)), (246, 246, 248))
        rig.line(((-16, 192), (-13, 84)), 5, trim)
        rig.line(((16, 192), (13, 84)), 5, trim)
    elif hero.garment == "coat":
        rig.line(((0, 186), (0, hem + 6)), 5, trim)
        for y in (160, 130, 100):
            rig.ellipse(12, y, 5, 5, trim)
    elif hero.garment in ("tunic", "robe"):
        rig.box(-48, 112, 48, 96, BROWN if hero.garment == "tunic" else (240, 200, 80), 3)
    elif hero.garment == "dress":
        rig.box(-40, 120, 40, 108, trim, 3)
    elif hero.role == "superhero":
        rig.polygon(((-24, 172), (24, 172), (0, 128)), GARMENT_COLOURS["yellow"])
        rig.box(-46, 98, 46, 82, GARMENT_COLOURS[hero.cloak], 3)
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


def _draw_held(rig: Rig, hero: Hero, pose: Pose) -> None:
    x, y = pose.right_arm[-1]
    if hero.held == "sword":
        tip = (x + 46, y + 88) if pose.arms_up else (x + 20, y + 116)
        rig.line(((x, y), tip), 13, (226, 232, 240))
        rig.line(((x - 18, y + 20), (x + 24, y + 8)), 10, (222, 170, 50))
    elif hero.held == "staff":
        low, high = (-150, 16) if pose.arms_up else (-84, 128)
        rig.line(((x, y + low), (x + 8, y + high)), 11, (126, 80, 44))
        rig.ellipse(x + 8, y + high + 8, 19, 19, (110, 220, 255))
    elif hero.held == "torch":
        rig.line(((x, y - 20), (x + 8, y + 56)), 13, (126, 80, 44))
        rig.ellipse(x + 10, y + 78, 22, 32, (255, 150, 30))
        rig.ellipse(x + 10, y + 72, 12, 19, (255, 236, 110))
