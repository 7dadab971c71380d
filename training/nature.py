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
    x += rng.randint(-24, 24)
    y += rng.randint(-14, 14)
    canvas.ellipse(x, y, radius, radius, light.disc_colour)
    if light.stars:
        canvas.ellipse(x - 12, y - 8, 8, 8, darker(light.disc_colour, 0.12))
        canvas.ellipse(x + 12, y + 12, 5, 5, darker(light.disc_colour, 0.12))
    elif rng.random() < 0.6:
        draw_cloud(canvas, rng.uniform(60, 330), rng.uniform(50, 110), light)


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
    x = rng.choice((60, 450)) + rng.randint(-20, 20)
    canvas.line([(x, 410), (x, 300)], 7, light.on((236, 236, 236)))
    canvas.polygon([(x - 60, 316), (x, 262), (x + 60, 316)], light.on((232, 60, 70)))
    canvas.polygon([(x - 20, 316), (x, 262), (x + 20, 316)], light.on((252, 252, 252)))
    return sand


def draw_forest(canvas: Canvas, light: Light, rng: Random) -> Colour:
    """Paint two rows of fir trees; return the ground's colour."""
    draw_sky(canvas, light, rng)
    ground = light.on((74, 140, 62))
    for row, fill in enumerate((light.on((60, 132, 92)), light.on((26, 98, 56)))):
        for i in range(6 - row):
            x = i * (100 + 26 * row) + rng.randint(-22, 22)
            draw_pine(canvas, x, 372 + 24 * row, rng.randint(190, 240) + 50 * row, fill)
    canvas.rectangle(0, 366, GRID, GRID, ground)
    canvas.hill(372, 22, rng.randint(100, 400), 620, ground)
    return ground


def draw_desert(canvas: Canvas, light: Light, rng: Random) -> Colour:
    """Paint dunes; return the ground's colour."""
    draw_sky(canvas, light, rng)
    sand = light.on((232, 178, 84))
    canvas.hill(370, 110, rng.randint(60, 180), 520, light.on((244, 200, 112)))
    canvas.hill(390, 90, rng.randint(330, 460), 520, darker(sand, 0.1))
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
    for _ in range(5):
        x, height = rng.uniform(10, 500), rng.randint(80, 130)
        draw_pine(canvas, x, 372, height, light.on((116, 160, 160)))
    canvas.rectangle(0, 366, GRID, GRID, snow)
    if rng.random() < 0.5:
        for _ in range(30):
            canvas.ellipse(rng.uniform(0, 512), rng.uniform(0, 360), 4.5, 4.5, (255, 255, 255))
    return snow


def draw_meadow(canvas: Canvas, light: Light, rng: Random) -> Colour:
    """Paint green hills with flowers; return the ground's colour."""
    draw_sky(canvas, light, rng)
    grass = light.on((120, 196, 74))
    canvas.hill(380, 90, rng.randint(40, 200), 560, light.on((142, 212, 96)))
    canvas.hill(390, 70, rng.randint(320, 470), 560, light.on((102, 182, 70)))
    canvas.rectangle(0, 376, GRID, GRID, grass)
    for _ in range(12):
        fill = light.on(rng.choice(((252, 252, 252), (252, 220, 70), (244, 110, 160))))
        canvas.ellipse(rng.uniform(6, 506), rng.uniform(392, 504), 6, 6, fill)
    return grass
