"""Settings under an open sky that people keep or long for: park, garden, lake and space."""

from __future__ import annotations

import math
from random import Random

from training.canvas import GRID, Canvas
from training.nature import draw_pine, draw_sky
from training.palette import Colour, Light, darker, lighter

LAMPLIGHT: Colour = (255, 224, 120)
BLOSSOMS: tuple[Colour, ...] = ((236, 52, 72), (255, 214, 60), (250, 120, 190), (160, 90, 220))


def draw_round_tree(canvas: Canvas, x: float, base: float, height: float, fill: Colour) -> None:
    """Paint a leafy tree with a ball of leaves, standing on `base`."""
    trunk = darker((136, 90, 54), 0.1)
    canvas.rectangle(x - height * 0.06, base - height * 0.5, x + height * 0.06, base, trunk)
    y = base - height * 0.64
    canvas.ellipse(x, y, height * 0.34, height * 0.36, fill)
    canvas.ellipse(
        x - height * 0.1, y - height * 0.1, height * 0.17, height * 0.16, lighter(fill, 0.14)
    )


def draw_park(canvas: Canvas, light: Light, rng: Random) -> Colour:
    """Paint round trees, a winding path, a bench and a lamp post; return the path's colour."""
    draw_sky(canvas, light, rng)
    grass, path = light.on((84, 168, 84)), light.on((236, 214, 168))
    for x in (150, 256, 362):
        fill = light.on((112, 178, 120))
        draw_round_tree(canvas, x + rng.randint(-20, 20), 372, rng.randint(110, 140), fill)
    for x in (36, 478):
        fill = light.on(rng.choice(((58, 150, 62), (86, 166, 50))))
        draw_round_tree(canvas, x + rng.randint(-14, 14), 392, rng.randint(250, 290), fill)
    canvas.rectangle(0, 366, GRID, GRID, grass)
    bend = rng.choice((-1, 1))
    near = [(256 + 60 * bend + 210, GRID), (256 + 60 * bend - 210, GRID)]
    far = [(256 - 20 * bend - 26, 366), (256 - 20 * bend + 26, 366)]
    middle = 256 + 34 * bend
    canvas.polygon([*far, (middle + 100, 430), *near, (middle - 100, 430)], path)
    side = rng.choice((-1, 1))
    _draw_bench(canvas, 256 - 178 * side, 424, light)
    _draw_lamp_post(canvas, 256 + 174 * side, 432, light)
    return path


def _draw_bench(canvas: Canvas, x: float, base: float, light: Light) -> None:
    wood, iron = light.on((176, 104, 56)), light.on((64, 64, 72))
    for edge in (x - 54, x + 46):
        canvas.rectangle(edge, base - 62, edge + 8, base, iron)
    for y in (base - 66, base - 48):
        canvas.rectangle(x - 64, y, x + 64, y + 12, wood, 3)
    canvas.rectangle(x - 66, base - 30, x + 66, base - 16, wood, 3)


def _draw_lamp_post(canvas: Canvas, x: float, base: float, light: Light) -> None:
    iron = darker(light.on((60, 66, 74)), 0.2)
    if light.stars:
        canvas.haze(x, base - 214, 84, 84, LAMPLIGHT, 0.5)
    canvas.rectangle(x - 5, base - 190, x + 5, base, iron)
    canvas.rectangle(x - 13, base - 12, x + 13, base, iron, 3)
    glass = LAMPLIGHT if light.stars else lighter(light.sky_bottom, 0.7)
    canvas.ellipse(x, base - 214, 22, 24, glass)
    canvas.polygon([(x - 24, base - 230), (x, base - 252), (x + 24, base - 230)], iron)
    canvas.rectangle(x - 16, base - 194, x + 16, base - 186, iron, 2)


def draw_garden(canvas: Canvas, light: Light, rng: Random) -> Colour:
    """Paint a clipped hedge, a white fence and beds of flowers; return the lawn's colour."""
    draw_sky(canvas, light, rng)
    hedge, lawn = light.on((40, 122, 66)), light.on((146, 208, 96))
    fence, soil = light.on((252, 250, 246)), light.on((124, 78, 50))
    for x in range(-10, GRID + 40, 52):
        canvas.ellipse(x + rng.randint(-8, 8), 262, 40, 36, hedge)
    canvas.rectangle(0, 258, GRID, 400, hedge)
    for _ in range(14):
        canvas.ellipse(rng.uniform(0, GRID), rng.uniform(240, 300), 9, 8, lighter(hedge, 0.14))
    canvas.rectangle(0, 384, GRID, GRID, lawn)
    for y in (326, 364):
        canvas.rectangle(0, y, GRID, y + 11, darker(fence, 0.1))
    shift = rng.randint(0, 36)
    for x in range(-shift, GRID, 36):
        canvas.polygon([(x, 398), (x, 308), (x + 12, 292), (x + 24, 308), (x + 24, 398)], fence)
    for left, right in ((-20, 150), (362, 532)):
        canvas.rectangle(left, 430, right, 508, soil, 22)
    for x in (18, 54, 90, 126, 386, 422, 458, 494):
        for y in (414, 462):
            fill = light.on(rng.choice(BLOSSOMS))
            cx, cy = x + rng.randint(-5, 5), y + rng.randint(-6, 6)
            canvas.line([(cx, cy), (cx, cy + 34)], 6, darker(hedge, 0.05))
            _draw_blossom(canvas, cx, cy, fill, light)
    return lawn


def _draw_blossom(canvas: Canvas, x: float, y: float, fill: Colour, light: Light) -> None:
    for dx, dy in ((-9, -4), (9, -4), (-6, 7), (6, 7), (0, -11)):
        canvas.ellipse(x + dx, y + dy, 8.5, 8.5, fill)
    canvas.ellipse(x, y - 1, 6, 6, light.on((255, 240, 170)))


def draw_lake(canvas: Canvas, light: Light, rng: Random) -> Colour:
    """Paint still water between a wooded shore and a reedy bank; return the bank's colour."""
    draw_sky(canvas, light, rng, 300)
    water = light.on((84, 178, 214))
    shore, wood = light.on((96, 158, 84)), light.on((164, 110, 64))
    canvas.hill(300, 84, rng.randint(40, 180), 460, light.on((120, 170, 150)))
    canvas.hill(300, 64, rng.randint(330, 470), 460, light.on((104, 158, 136)))
    for i in range(12):
        x, height = i * 46 + rng.randint(-14, 14), rng.randint(44, 74)
        draw_pine(canvas, x, 292, height, light.on((44, 112, 80)))
    canvas.rectangle(0, 284, GRID, 300, shore)
    canvas.rectangle(0, 298, GRID, GRID, water)
    canvas.rectangle(0, 298, GRID, 312, darker(water, 0.22))
    for _ in range(8):
        x, y = rng.uniform(-20, 460), rng.uniform(322, 410)
        canvas.rectangle(x, y, x + rng.randint(40, 90), y + 5, lighter(water, 0.45), 3)
    side = rng.choice((-1, 1))
    for depth in range(5):
        x, y, half = 256 + side * (134 + depth * 15), 338 + depth * 20, 38 + depth * 7
        canvas.rectangle(x - half, y, x + half, y + 17, wood, 2)
        for edge in (x - half + 2, x + half - 10):
            canvas.rectangle(edge, y + 6, edge + 8, y + 36, darker(wood, 0.35))
        canvas.rectangle(x - half, y, x + half, y + 14, wood if depth % 2 else lighter(wood, 0.15))
    bank = light.on((118, 180, 80))
    canvas.hill(438, 20, 256, 1200, bank)
    canvas.rectangle(0, 436, GRID, GRID, bank)
    for i in range(6):
        _draw_reed(canvas, 256 - side * (146 + i * 20) + rng.randint(-5, 5), 450, light, rng)
    return bank


def _draw_reed(canvas: Canvas, x: float, base: float, light: Light, rng: Random) -> None:
    stem, height, bend = light.on((62, 130, 58)), rng.randint(90, 140), rng.randint(-12, 12)
    top = (x + bend, base - height)
    canvas.line([(x, base), top], 6, stem)
    canvas.line([(x, base), (x - bend * 2, base - height * 0.7)], 6, stem)
    canvas.rectangle(top[0] - 8, top[1] - 8, top[0] + 8, top[1] + 34, light.on((112, 66, 38)), 8)


def draw_space(canvas: Canvas, light: Light, rng: Random) -> Colour:
    """Paint planets among stars over grey moon ground, whatever the light; return its colour."""
    canvas.rectangle(0, 0, GRID, GRID, (6, 6, 16))
    for _ in range(60):
        radius = rng.choice((1.8, 2.4, 3.6))
        canvas.ellipse(rng.uniform(4, 508), rng.uniform(4, 380), radius, radius, (255, 255, 255))
    side = rng.choice((-1, 1))
    _draw_ringed(canvas, 256 + side * 164, 104 + rng.randint(-16, 16), 50)
    x, y = 256 - side * (172 + rng.randint(-10, 10)), 176 + rng.randint(-24, 24)
    canvas.ellipse(x, y, 56, 56, (52, 130, 226))
    for dx, dy, rx, ry in ((-20, -22, 24, 15), (18, 4, 24, 20), (-24, 26, 18, 11)):
        canvas.ellipse(x + dx, y + dy, rx, ry, (84, 190, 96))
    ground: Colour = (158, 158, 168)
    canvas.hill(410, 40, rng.randint(60, 180), 560, (132, 132, 144))
    canvas.rectangle(0, 396, GRID, GRID, ground)
    canvas.hill(404, 30, rng.randint(300, 440), 620, ground)
    for x, y, rx in ((56, 424, 44), (440, 440, 52), (150, 484, 36), (360, 492, 30), (250, 414, 26)):
        x += rng.randint(-16, 16)
        canvas.ellipse(x, y, rx, rx * 0.3, (112, 112, 124))
        canvas.ellipse(x, y + rx * 0.08, rx * 0.84, rx * 0.2, (134, 134, 146))
    return ground


def _draw_ringed(canvas: Canvas, x: float, y: float, radius: float) -> None:
    """Paint a banded planet with a ring around its middle."""
    sand, ring = (240, 184, 110), (250, 226, 180)
    canvas.polygon(_tilted(x, y, radius * 1.8, radius * 0.52), ring)
    canvas.polygon(_tilted(x, y, radius * 1.42, radius * 0.3), (6, 6, 16))
    canvas.ellipse(x, y, radius, radius, sand)
    canvas.rectangle(x - radius * 0.86, y - radius * 0.5, x + radius * 0.86, y - radius * 0.3, ring)
    front = _tilted(x, y, radius * 1.8, radius * 0.52)[:13]
    inner = _tilted(x, y, radius * 1.42, radius * 0.3)[:13]
    canvas.polygon([*front, *reversed(inner)], ring)


def _tilted(x: float, y: float, rx: float, ry: float) -> list[tuple[float, float]]:
    """Return an ellipse's outline, leaning a little; its first half is the lower one."""
    turns = [math.tau * i / 24 for i in range(25)]
    return [
        (
            x + rx * math.cos(t) + 0.2 * ry * math.sin(t),
            y + ry * math.sin(t) - 0.26 * rx * math.cos(t),
        )
        for t in turns
    ]
