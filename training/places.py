"""Settings that people built, and the cave."""

from __future__ import annotations

from random import Random

from training.canvas import GRID, Canvas
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
    return road


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
    draw_sky(canvas, light, rng)
    rock: Colour = (70, 62, 84)
    mouth = (172 + rng.randint(-18, 18), 210, 150, 150)
    x, y, rx, ry = mouth
    canvas.rectangle(0, 0, x - rx, GRID, rock)
    canvas.rectangle(x + rx, 0, GRID, GRID, rock)
    outline = [(x - rx, y), (x - rx * 0.8, y - ry * 0.6), (x, y - ry), (x + rx * 0.7, y - ry * 0.7)]
    canvas.polygon([(0, 0), (x - rx, GRID), *outline, (x + rx, y), (GRID, GRID), (GRID, 0)], rock)
    floor: Colour = (92, 82, 104)
    canvas.rectangle(0, 380, GRID, GRID, floor)
    for spot in (30, 120, 400, 470):
        canvas.polygon(
            [(spot - 24, -4), (spot, rng.randint(70, 120)), (spot + 24, -4)], (50, 44, 64)
        )
    for spot in (40, 340, 440, 480):
        fill = rng.choice(((80, 230, 250), (200, 110, 255), (110, 250, 180)))
        tall, x = rng.randint(60, 110), spot + rng.randint(-16, 16)
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
    return roof


def draw_room(canvas: Canvas, light: Light, rng: Random) -> Colour:
    """Paint a room whose window shows the sky; return the floor's colour."""
    draw_sky(canvas, light, rng)
    dim = light if not light.stars else Light(*_room_light(light))
    wall = dim.on(rng.choice(((222, 196, 170), (178, 206, 200), (216, 190, 206))))
    left = 250 + rng.randint(-20, 20)
    right = left + 220
    for box in ((0, 0, left, GRID), (right, 0, GRID, GRID), (0, 0, GRID, 24), (0, 240, GRID, GRID)):
        canvas.rectangle(*box, wall)
    frame = dim.on((250, 246, 240))
    for x in (left, (left + right) / 2, right):
        canvas.rectangle(x - 6, 18, x + 6, 246, frame)
    for y in (24, 240):
        canvas.rectangle(left - 14, y - 6, right + 14, y + 6, frame)
    floor = dim.on((176, 122, 78))
    canvas.rectangle(0, 390, GRID, GRID, floor)
    canvas.rectangle(0, 380, GRID, 394, frame)
    canvas.rectangle(36, 70, 156, 170, dim.on((150, 100, 60)), 4)
    canvas.rectangle(48, 82, 144, 158, dim.on((240, 200, 110)))
    return floor


def _room_light(
    light: Light,
) -> tuple[Colour, Colour, tuple[float, float, float], tuple[int, int, int], Colour]:
    return light.sky_top, light.sky_bottom, (0.5, 0.48, 0.62), light.disc, light.disc_colour
