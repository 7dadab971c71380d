"""Settings that people built, and the cave."""

from __future__ import annotations

from random import Random

from training.canvas import GRID, Canvas
from training.indoors import draw_view
from training.nature import draw_sky
from training.palette import Colour, Light, darker, lighter

NEON: tuple[Colour, ...] = ((255, 60, 170), (60, 230, 255), (190, 90, 255), (255, 210, 60))
LAMPLIGHT: Colour = (255, 224, 120)


def _tower(
    canvas: Canvas, left: float, width: float, top: float, wall: Colour, window: Colour
) -> None:
    """Paint a tall building with a grid of windows, standing behind the street."""
    canvas.rectangle(left, top, left + width, 400, wall)
    columns = 2 if width < 80 else 3
    gap = width / columns
    y = top + 20
    while y < 370:
        for i in range(columns):
            x = left + gap * (i + 0.5)
            canvas.rectangle(x - 9, y, x + 9, y + 22, window)
        y += 46


def draw_city(canvas: Canvas, light: Light, rng: Random) -> Colour:
    """Paint a street between towers; return the road's colour."""
    draw_sky(canvas, light, rng)
    left = -20.0
    walls = ((190, 110, 88), (122, 142, 170), (214, 190, 150), (150, 120, 140))
    while left < GRID:
        width = rng.randint(70, 110)
        wall = light.on(rng.choice(walls))
        window = LAMPLIGHT if light.stars else lighter(wall, 0.55)
        _tower(canvas, left, width, rng.randint(110, 230), wall, window)
        left += width + 6
    road = light.on((104, 106, 116))
    canvas.rectangle(0, 380, GRID, GRID, light.on((176, 176, 180)))
    canvas.rectangle(0, 404, GRID, GRID, road)
    for x in range(-30 + rng.randint(0, 40), GRID, 110):
        canvas.rectangle(x, 486, x + 60, 496, light.on((250, 250, 240)))
    _draw_parked_car(canvas, rng.choice((58, 454)) + rng.randint(-10, 10), light, rng)
    return road


def _draw_parked_car(canvas: Canvas, x: float, light: Light, rng: Random) -> None:
    paint = light.on(rng.choice(((64, 132, 214), (70, 170, 150), (240, 240, 236))))
    canvas.rectangle(x - 44, 352, x + 44, 396, paint, 16)
    canvas.rectangle(x - 34, 360, x + 34, 384, lighter(light.sky_bottom, 0.3), 8)
    canvas.rectangle(x - 76, 380, x + 76, 424, paint, 14)
    for wheel in (x - 44, x + 44):
        canvas.ellipse(wheel, 424, 17, 17, (38, 36, 44))
        canvas.ellipse(wheel, 424, 7, 7, (170, 170, 178))
    for lamp in (x - 68, x + 68):
        canvas.ellipse(lamp, 396, 7, 7, LAMPLIGHT)


def draw_neon_city(canvas: Canvas, light: Light, rng: Random) -> Colour:
    """Paint dark towers edged in neon and their shine on wet ground; return its colour."""
    draw_sky(canvas, light, rng)
    road: Colour = (36, 30, 66)
    canvas.rectangle(0, 390, GRID, GRID, road)
    left = -10.0
    while left < GRID:
        width, top = rng.randint(70, 104), rng.randint(90, 210)
        neon = rng.choice(NEON)
        canvas.rectangle(left, top, left + width, 400, (30, 24, 60))
        for x in (left + 4, left + width - 4):
            canvas.line([(x, top + 4), (x, 392)], 6, neon)
        canvas.line([(left + 4, top + 4), (left + width - 4, top + 4)], 6, neon)
        canvas.rectangle(left + width / 2 - 14, top + 30, left + width / 2 + 14, top + 90, neon, 6)
        shine = (left + 10, 412, left + width - 10, 452)
        canvas.rectangle(*shine, darker(neon, 0.55), 12)
        left += width + 10
    return road


def _merlons(canvas: Canvas, left: float, right: float, top: float, wall: Colour) -> None:
    x = left
    while x + 22 <= right:
        canvas.rectangle(x, top - 20, x + 22, top + 2, wall)
        x += 40


def draw_castle(canvas: Canvas, light: Light, rng: Random) -> Colour:
    """Paint a castle wall with a gate between two towers; return the path's colour."""
    draw_sky(canvas, light, rng)
    wall, roof = light.on((168, 164, 176)), light.on((198, 62, 70))
    grass, path = light.on((110, 176, 76)), light.on((206, 178, 130))
    shift = rng.randint(-30, 30)
    canvas.rectangle(0, 220, GRID, 400, wall)
    _merlons(canvas, 6, 506, 220, wall)
    for x in (110 + shift, 402 + shift):
        canvas.rectangle(x - 46, 130, x + 46, 400, darker(wall, 0.12))
        canvas.polygon([(x - 58, 132), (x, 44), (x + 58, 132)], roof)
        canvas.rectangle(x - 9, 176, x + 9, 216, darker(wall, 0.6), 9)
    canvas.rectangle(0, 390, GRID, GRID, grass)
    gate = darker((96, 58, 32), 0.1)
    canvas.ellipse(256 + shift, 270, 66, 66, gate)
    canvas.rectangle(190 + shift, 270, 322 + shift, 396, gate)
    for x in (214, 256, 298):
        canvas.rectangle(x + shift - 3, 214, x + shift + 3, 396, darker(gate, 0.5))
    canvas.polygon([(190 + shift, 392), (322 + shift, 392), (420, 512), (92, 512)], path)
    return path


def draw_cave(canvas: Canvas, light: Light, rng: Random) -> Colour:
    """Paint rock around a mouth that shows the sky, with crystals; return the floor's colour."""
    rock, dark, floor = (70, 62, 84), (50, 44, 64), (92, 82, 104)
    x, y, rx, ry = 146 + rng.randint(-14, 14), 200, 128, 150
    draw_view(canvas, light, (x - rx, y - ry, x + rx, 384), rng)
    arch = [
        (x + rx * across, y - ry * up)
        for across, up in ((-1, -1.3), (-0.96, 0.1), (-0.72, 0.62), (-0.2, 0.96), (0.4, 0.86))
    ]
    arch += [(x + rx * 0.84, y - ry * 0.4), (x + rx, y + ry * 1.3)]
    canvas.polygon([(-10, GRID), *arch, (GRID, GRID), (GRID, -10), (-10, -10)], rock)
    canvas.rectangle(0, 0, GRID, y - ry * 0.94, rock)
    canvas.rectangle(0, 380, GRID, GRID, floor)
    for spot in (24, 330, 404, 474):
        canvas.polygon([(spot - 26, -4), (spot, rng.randint(80, 140)), (spot + 26, -4)], dark)
    for spot in (36, 352, 420, 482):
        fill = rng.choice(((80, 230, 250), (200, 110, 255), (110, 250, 180)))
        tall, x = rng.randint(70, 130), spot + rng.randint(-12, 12)
        canvas.haze(x, 400 - tall / 2, 64, tall, fill, 0.35)
        canvas.polygon([(x - 20, 400), (x - 14, 400 - tall), (x, 376 - tall), (x, 400)], fill)
        side = [(x, 376 - tall), (x + 16, 400 - tall), (x + 20, 400), (x, 400)]
        canvas.polygon(side, darker(fill, 0.25))
    return floor


def draw_village(canvas: Canvas, light: Light, rng: Random) -> Colour:
    """Paint gabled houses around a square; return the paving's colour."""
    draw_sky(canvas, light, rng)
    paving = light.on((208, 188, 158))
    walls = ((250, 232, 196), (244, 206, 160), (226, 236, 240))
    roofs = ((176, 66, 48), (140, 76, 60), (80, 100, 140))
    for i in range(4):
        left, top = i * 130 - 20 + rng.randint(-8, 8), rng.randint(220, 262)
        right = left + 122
        canvas.rectangle(left, top, right, 400, light.on(rng.choice(walls)))
        peak = ((left + right) / 2, top - 84)
        canvas.polygon([(left - 12, top), peak, (right + 12, top)], light.on(rng.choice(roofs)))
        glass = LAMPLIGHT if light.stars else light.on((120, 176, 214))
        for x in (left + 26, right - 26):
            canvas.rectangle(x - 15, top + 22, x + 15, top + 58, glass, 3)
        door = light.on((120, 76, 44))
        canvas.rectangle(peak[0] - 17, top + 70, peak[0] + 17, 400, door, 4)
    canvas.rectangle(0, 390, GRID, GRID, paving)
    return paving


def draw_rooftop(canvas: Canvas, light: Light, rng: Random) -> Colour:
    """Paint a skyline below, a parapet and a flat roof; return the roof's colour."""
    draw_sky(canvas, light, rng)
    left = -16.0
    while left < GRID:
        width, wall = rng.randint(56, 90), light.on((96, 104, 140))
        glass = LAMPLIGHT if light.stars else lighter(wall, 0.3)
        _tower(canvas, left, width, rng.randint(210, 300), wall, glass)
        left += width + 4
    roof = light.on((158, 92, 78))
    canvas.rectangle(0, 384, GRID, GRID, roof)
    canvas.rectangle(0, 356, GRID, 398, light.on((206, 196, 190)))
    for x in range(0, GRID, 64):
        canvas.rectangle(x, 366, x + 4, 398, light.on((150, 140, 136)))
    side = rng.choice((-1, 1))
    _draw_chimney(canvas, 256 - side * 196, light)
    _draw_tank(canvas, 256 + side * 190, light)
    return roof


def _draw_chimney(canvas: Canvas, x: float, light: Light) -> None:
    brick = light.on((186, 84, 66))
    canvas.rectangle(x - 32, 286, x + 32, 412, brick)
    for y in (316, 346, 376):
        canvas.rectangle(x - 32, y, x + 32, y + 4, lighter(brick, 0.35))
    canvas.rectangle(x - 40, 272, x + 40, 292, darker(brick, 0.2), 3)


def _draw_tank(canvas: Canvas, x: float, light: Light) -> None:
    """Paint a wooden water tank on legs."""
    wood = light.on((160, 112, 72))
    for leg in (x - 40, x, x + 34):
        canvas.rectangle(leg, 330, leg + 7, 412, darker(wood, 0.45))
    canvas.rectangle(x - 50, 240, x + 50, 344, wood, 6)
    for plank in (-26, 0, 26):
        canvas.rectangle(x + plank - 2, 244, x + plank + 2, 340, darker(wood, 0.25))
    canvas.polygon([(x - 60, 246), (x, 192), (x + 60, 246)], light.on((112, 104, 110)))
