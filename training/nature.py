"""Settings under an open sky: the land below, from mountain to ocean."""

from __future__ import annotations

from random import Random

from training.canvas import GRID, Canvas
from training.palette import Colour, Light, darker, lighter

HORIZON = 300


def draw_sky(canvas: Canvas, light: Light, rng: Random, bottom: float = HORIZON + 100) -> None:
    """Paint sky, stars, clouds and the sun or moon."""
    canvas.gradient(0, bottom, light.sky_top, light.sky_bottom)
    if light.stars:
        for _ in range(26):
            x, y = rng.uniform(8, 504), rng.uniform(8, bottom - 30)
            canvas.ellipse(x, y, 2.6, 2.6, (255, 255, 230))
    x, y, radius = light.disc
    draw_disc(canvas, light, x + rng.randint(-20, 20), y + rng.randint(-14, 14), radius)
    if not light.stars and rng.random() < 0.6:
        draw_cloud(canvas, rng.uniform(150, 340), rng.uniform(46, 90), light)


def draw_disc(canvas: Canvas, light: Light, x: float, y: float, radius: float) -> None:
    """Paint the sun, or the moon with its craters."""
    canvas.ellipse(x, y, radius, radius, light.disc_colour)
    if light.stars:
        crater, unit = darker(light.disc_colour, 0.12), radius / 40
        canvas.ellipse(x - 12 * unit, y - 8 * unit, 8 * unit, 8 * unit, crater)
        canvas.ellipse(x + 12 * unit, y + 12 * unit, 5 * unit, 5 * unit, crater)


def draw_cloud(canvas: Canvas, x: float, y: float, light: Light) -> None:
    """Paint one puffy cloud around (x, y)."""
    fill = lighter(light.sky_bottom, 0.6)
    for dx, dy, radius in ((-34, 6, 20), (0, -4, 28), (34, 6, 22)):
        canvas.ellipse(x + dx, y + dy, radius * 1.2, radius, fill)


def draw_pine(canvas: Canvas, x: float, base: float, height: float, fill: Colour) -> None:
    """Paint a fir tree standing on `base`."""
    half = height * 0.3
    trunk = darker((110, 72, 44), 0.1)
    canvas.rectangle(x - half / 5, base - height * 0.2, x + half / 5, base, trunk)
    for level in range(3):
        top = base - height + level * height * 0.22
        width = half * (0.6 + 0.2 * level)
        low = top + height * 0.38
        canvas.polygon([(x, top), (x + width, low), (x - width, low)], fill)


def draw_mountain(canvas: Canvas, light: Light, rng: Random) -> Colour:
    """Paint snowy peaks and a stony ledge; return the ground's colour."""
    draw_sky(canvas, light, rng)
    rock, snow = light.on((128, 132, 156)), light.on((250, 252, 255))
    peaks = [(90, 210, 170), (250, 260, 210), (420, 190, 160)]
    for centre, height, half in peaks:
        x, top = centre + rng.randint(-36, 36), HORIZON + 60 - height
        canvas.polygon([(x - half, HORIZON + 60), (x, top), (x + half, HORIZON + 60)], rock)
        shade = darker(rock, 0.2)
        canvas.polygon([(x, top), (x + half, HORIZON + 60), (x + half / 4, HORIZON + 60)], shade)
        cap = 0.36
        left, right, low = x - half * cap, x + half * cap, top + height * cap
        outline = [(x, top), (right, low), (x + 14, low - 18), (x - 10, low + 6), (left, low)]
        canvas.polygon(outline, snow)
    ground = light.on((146, 138, 132))
    canvas.hill(400, 70, 256 + rng.randint(-30, 30), 760, ground)
    canvas.rectangle(0, 410, GRID, GRID, ground)
    return ground


def draw_beach(canvas: Canvas, light: Light, rng: Random) -> Colour:
    """Paint sea, sand and a parasol or palm; return the ground's colour."""
    draw_sky(canvas, light, rng, HORIZON)
    sea, sand = light.on((40, 150, 220)), light.on((246, 220, 150))
    canvas.rectangle(0, HORIZON - 30, GRID, 400, sea)
    for _ in range(4):
        x, y = rng.uniform(20, 450), rng.uniform(HORIZON - 12, 350)
        canvas.rectangle(x, y, x + 50, y + 5, lighter(sea, 0.4), 3)
    canvas.hill(430, 66, 256, 1100, lighter(sea, 0.75))
    canvas.hill(444, 66, 256, 1100, sand)
    canvas.rectangle(0, 440, GRID, GRID, sand)
    x = rng.choice((62, 450)) + rng.randint(-14, 14)
    canvas.line([(x, 416), (x, 290)], 7, light.on((236, 236, 236)))
    canvas.polygon([(x - 66, 306), (x, 244), (x + 66, 306)], light.on((232, 60, 70)))
    canvas.polygon([(x - 22, 306), (x, 244), (x + 22, 306)], light.on((252, 252, 252)))
    return sand


def draw_forest(canvas: Canvas, light: Light, rng: Random) -> Colour:
    """Paint two rows of tall fir trees; return the ground's colour."""
    draw_sky(canvas, light, rng)
    ground = light.on((66, 124, 58))
    for row, fill in enumerate((light.on((66, 142, 104)), light.on((22, 92, 52)))):
        for i in range(6 - row):
            x = i * (100 + 26 * row) + rng.randint(-22, 22)
            draw_pine(canvas, x, 376 + 24 * row, rng.randint(210, 260) + 70 * row, fill)
    canvas.rectangle(0, 370, GRID, GRID, ground)
    canvas.hill(376, 22, rng.randint(100, 400), 620, ground)
    return ground


def draw_desert(canvas: Canvas, light: Light, rng: Random) -> Colour:
    """Paint dunes below red table mountains; return the ground's colour."""
    draw_sky(canvas, light, rng)
    sand, rock = light.on((236, 186, 92)), light.on((206, 112, 66))
    for x, half, top in ((64, 92, 214), (446, 78, 246)):
        x += rng.randint(-22, 22)
        outline = [(x - half, 380), (x - half * 0.66, top), (x + half * 0.66, top)]
        canvas.polygon([*outline, (x + half, 380)], rock)
        canvas.rectangle(x - half * 0.7, top, x + half * 0.7, top + 12, lighter(rock, 0.2))
        canvas.rectangle(x - half * 0.78, top + 46, x + half * 0.78, top + 58, darker(rock, 0.15))
    canvas.hill(374, 74, rng.randint(60, 180), 520, light.on((248, 208, 122)))
    canvas.hill(392, 76, rng.randint(330, 460), 520, darker(sand, 0.1))
    canvas.rectangle(0, 386, GRID, GRID, sand)
    canvas.hill(400, 40, rng.randint(100, 400), 700, sand)
    return sand


def draw_ocean(canvas: Canvas, light: Light, rng: Random) -> Colour:
    """Paint open water with waves; return the water's colour."""
    draw_sky(canvas, light, rng, HORIZON)
    sea = light.on((26, 108, 200))
    canvas.rectangle(0, HORIZON - 20, GRID, GRID, sea)
    for row in range(4):
        shade = lighter(sea, 0.24) if row % 2 else darker(sea, 0.14)
        base, shift = HORIZON + 40 + row * 50, rng.randint(-60, 0)
        for i in range(7):
            canvas.hill(base, 20, shift + i * 100, 104, shade)
        canvas.rectangle(0, base - 1, GRID, GRID, shade)
    return shade


def draw_snow(canvas: Canvas, light: Light, rng: Random) -> Colour:
    """Paint a snow field with frosted firs; return the ground's colour."""
    draw_sky(canvas, light, rng)
    snow = light.on((240, 246, 255))
    canvas.hill(390, 60, rng.randint(100, 400), 700, darker(snow, 0.07))
    for x in (34, 116, 262, 398, 478):
        x, height = x + rng.randint(-24, 24), rng.randint(100, 170)
        draw_pine(canvas, x, 376, height, light.on((116, 160, 164)))
        top = 376 - height
        tip = [(x, top), (x + height * 0.12, top + height * 0.24)]
        canvas.polygon([*tip, (x - height * 0.12, top + height * 0.24)], snow)
    canvas.rectangle(0, 366, GRID, GRID, snow)
    for x in (60, 430):
        canvas.hill(420, 34, x + rng.randint(-30, 30), 260, lighter(snow, 0.4))
    canvas.rectangle(0, 420, GRID, GRID, snow)
    return snow


def draw_meadow(canvas: Canvas, light: Light, rng: Random) -> Colour:
    """Paint open green hills strewn with wild flowers; return the ground's colour."""
    draw_sky(canvas, light, rng)
    grass = light.on((128, 200, 72))
    canvas.hill(380, 110, rng.randint(20, 140), 600, light.on((158, 222, 104)))
    canvas.hill(392, 90, rng.randint(380, 500), 600, light.on((104, 186, 76)))
    canvas.rectangle(0, 376, GRID, GRID, grass)
    canvas.hill(384, 20, rng.randint(100, 400), 700, grass)
    for i in range(22):
        fill = light.on(rng.choice(((252, 252, 252), (255, 226, 60), (248, 96, 150))))
        x, y = (i * 24 + rng.uniform(-12, 12)) % GRID, rng.uniform(384, 500)
        canvas.line([(x, y), (x, y + 14)], 4, darker(grass, 0.3))
        canvas.ellipse(x, y, 9, 8, fill)
        canvas.ellipse(x, y, 3.5, 3.5, light.on((250, 180, 40)))
    return grass
