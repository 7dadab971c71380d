"""Settings under a roof: a window shows the time, and the light in the room follows it."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from training.canvas import GRID, Canvas
from training.nature import draw_disc
from training.palette import Colour, Light, darker, lighter

LAMPLIGHT: Colour = (255, 232, 150)
Box = tuple[float, float, float, float]


def draw_view(canvas: Canvas, light: Light, box: Box, rng: Random) -> None:
    """Paint the sky behind a window, before the wall around it: its edges overflow sideways."""
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    canvas.gradient(top, bottom, light.sky_top, light.sky_bottom)
    if light.stars:
        for _ in range(12):
            x, y = rng.uniform(left + 8, right - 8), rng.uniform(top + 8, bottom - 8)
            canvas.ellipse(x, y, 2.6, 2.6, (255, 255, 230))
    across, down, _ = light.disc
    x = left + width * (0.2 + 0.6 * (across - 92) / 328)
    radius = min(0.2 * width, 0.2 * height)
    draw_disc(canvas, light, x, top + height * (0.2 + 0.5 * (down - 70) / 116), radius)


def wall_around(canvas: Canvas, box: Box, bottom: float, fill: Colour) -> None:
    """Paint a wall from the top of the picture to `bottom`, open where the window is."""
    left, top, right, low = box
    for part in ((0, 0, left, bottom), (right, 0, GRID, bottom), (0, 0, GRID, top)):
        canvas.rectangle(*part, fill)
    canvas.rectangle(0, low, GRID, bottom, fill)


def indoor_light(light: Light) -> Light:
    """Return the light as it is in a room: warmer and less dark at night."""
    return replace(light, tint=(0.54, 0.5, 0.66)) if light.stars else light


def _draw_frame(canvas: Canvas, box: Box, fill: Colour) -> None:
    left, top, right, bottom = box
    for x in (left, (left + right) / 2, right):
        canvas.rectangle(x - 6, top - 6, x + 6, bottom + 6, fill)
    for y in (top, bottom):
        canvas.rectangle(left - 14, y - 6, right + 14, y + 6, fill)


def draw_room(canvas: Canvas, light: Light, rng: Random) -> Colour:
    """Paint a bedroom: window, picture, bed and rug; return the floor's colour."""
    left = 286 + rng.randint(-14, 14)
    box = (left, 40, left + 196, 236)
    draw_view(canvas, light, box, rng)
    dim = indoor_light(light)
    wall_around(canvas, box, 400, dim.on(rng.choice(((236, 206, 174), (232, 196, 204)))))
    white, wood, floor = dim.on((250, 246, 240)), dim.on((150, 94, 56)), dim.on((186, 130, 84))
    _draw_frame(canvas, box, white)
    cloth = dim.on((214, 76, 84))
    for edge, inward in ((box[0] - 18, 1), (box[2] + 18, -1)):
        outline = [(edge, 28), (edge + 46 * inward, 28), (edge + 16 * inward, 150)]
        canvas.polygon([*outline, (edge + 26 * inward, 262), (edge, 262)], cloth)
    canvas.rectangle(box[0] - 30, 20, box[2] + 30, 30, wood, 4)
    canvas.rectangle(40, 70, 150, 160, wood, 4)
    canvas.rectangle(51, 81, 139, 149, dim.on((244, 216, 130)))
    canvas.polygon([(51, 149), (84, 104), (112, 149)], dim.on((90, 160, 120)))
    canvas.rectangle(0, 392, GRID, GRID, floor)
    canvas.rectangle(0, 382, GRID, 396, white)
    canvas.ellipse(276, 470, 200, 34, dim.on((112, 156, 190)))
    _draw_bed(canvas, dim)
    return dim.on((112, 156, 190))


def _draw_bed(canvas: Canvas, dim: Light) -> None:
    """Paint the foot of a bed that reaches in from the left."""
    wood, white = dim.on((140, 84, 48)), dim.on((252, 250, 246))
    canvas.rectangle(-20, 262, 22, 436, wood, 10)
    canvas.rectangle(-20, 352, 152, 414, white, 14)
    canvas.rectangle(10, 322, 84, 364, white, 16)
    canvas.rectangle(70, 342, 156, 416, dim.on((78, 128, 206)), 14)
    canvas.rectangle(138, 316, 158, 438, wood, 8)


def draw_hallway(canvas: Canvas, light: Light, rng: Random) -> Colour:
    """Paint a corridor of doors that ends in a window; return the carpet's colour."""
    middle = 256 + rng.randint(-22, 22)
    box = (middle - 108, 62, middle + 108, 236)
    draw_view(canvas, light, box, rng)
    dim = indoor_light(light)
    wall, floor = dim.on((206, 214, 176)), dim.on((156, 118, 92))
    end, white = dim.on((230, 234, 206)), dim.on((250, 250, 246))
    left, right, top, low = middle - 132, middle + 132, 40, 330
    canvas.rectangle(0, 0, GRID, top + 20, dim.on((244, 240, 230)))
    for part in ((left, top, box[0], low), (box[2], top, right, low), (left, top, right, box[1])):
        canvas.rectangle(*part, end)
    canvas.rectangle(left, box[3], right, low, end)
    _draw_frame(canvas, box, white)
    canvas.polygon([(0, GRID), (left, low), (right, low), (GRID, GRID)], floor)
    for edge, far in ((0, left), (GRID, right)):
        canvas.polygon([(edge, -60), (far, top), (far, low), (edge, GRID + 20)], wall)
        for near_share, far_share in ((0.06, 0.42), (0.58, 0.86)):
            _draw_side_door(canvas, (edge, far), (near_share, far_share), dim)
    carpet = dim.on((190, 44, 60))
    canvas.polygon([(60, GRID), (left + 56, low), (right - 56, low), (452, GRID)], carpet)
    for y, half in ((14, 60), (46, 26)):
        lamp = LAMPLIGHT if light.stars else white
        canvas.ellipse(middle, y, half, half * 0.2, lamp)
    return carpet


def _draw_side_door(
    canvas: Canvas, span: tuple[float, float], shares: tuple[float, float], dim: Light
) -> None:
    """Paint a door on a wall that runs from the picture's edge to the corridor's end."""
    edge, far = span

    def corner(share: float, height: float) -> tuple[float, float]:
        low, high = GRID + 20 + (330 - GRID - 20) * share, -60 + 100 * share
        return edge + (far - edge) * share, low + (high - low) * height

    near, away = shares
    inset = 0.06 * (away - near)
    frame = [(near, 0.0), (near, 0.74), (away, 0.74), (away, 0.0)]
    door = [(near + inset, 0.0), (near + inset, 0.71), (away - inset, 0.71), (away - inset, 0.0)]
    canvas.polygon([corner(*spot) for spot in frame], dim.on((250, 250, 246)))
    canvas.polygon([corner(*spot) for spot in door], dim.on((146, 84, 50)))
    x, y = corner(away - 4 * inset, 0.34)
    canvas.ellipse(x, y, 6, 6, dim.on((255, 214, 90)))


def draw_kitchen(canvas: Canvas, light: Light, rng: Random) -> Colour:
    """Paint a counter, shelves, hanging lamps and a window; return the floor's colour."""
    left = 316 + rng.randint(-8, 8)
    box = (left, 96, left + 164, 252)
    draw_view(canvas, light, box, rng)
    dim = indoor_light(light)
    wall_around(canvas, box, 400, dim.on((250, 234, 190)))
    _draw_frame(canvas, box, dim.on((252, 250, 246)))
    tile, teal = dim.on((228, 240, 240)), dim.on((62, 158, 160))
    canvas.rectangle(0, 258, GRID, 306, tile)
    for x in range(0, GRID, 48):
        canvas.rectangle(x, 258, x + 3, 306, darker(tile, 0.12))
    canvas.rectangle(0, 281, GRID, 284, darker(tile, 0.12))
    _draw_shelves(canvas, dim, rng)
    canvas.rectangle(0, 312, GRID, 418, teal)
    for x in range(14, GRID, 100):
        canvas.rectangle(x, 332, x + 86, 408, lighter(teal, 0.2), 6)
        canvas.ellipse(x + 43, 344, 6, 6, dim.on((250, 240, 200)))
    canvas.rectangle(-10, 298, GRID + 10, 318, dim.on((166, 104, 62)), 4)
    canvas.rectangle(412, 262, 464, 300, dim.on((222, 60, 54)), 10)
    canvas.polygon([(410, 276), (386, 262), (392, 256), (414, 264)], dim.on((222, 60, 54)))
    floor, dark = dim.on((244, 240, 232)), dim.on((120, 132, 146))
    canvas.rectangle(0, 416, GRID, GRID, floor)
    for row, (y, low) in enumerate(((416, 440), (440, 472), (472, GRID))):
        for i in range(-1, 9):
            if (i + row) % 2 == 0:
                near, far = _floor_x(i, low), _floor_x(i, y)
                after = (_floor_x(i + 1, y), y), (_floor_x(i + 1, low), low)
                canvas.polygon([(near, low), (far, y), *after], dark)
    glow = LAMPLIGHT if light.stars else dim.on((255, 244, 200))
    for x in (96, 240):
        if light.stars:
            canvas.haze(x, 92, 90, 80, LAMPLIGHT, 0.45)
        canvas.line([(x, 0), (x, 52)], 5, (60, 56, 60))
        canvas.ellipse(x, 88, 18, 18, glow)
        canvas.polygon([(x - 42, 90), (x - 14, 46), (x + 14, 46), (x + 42, 90)], (216, 96, 48))
    return dark


def _floor_x(column: int, y: float) -> float:
    """Return where a floor tile's edge meets the height y, seen in perspective."""
    return 256 + (column - 4) * (54 + (y - 416) * 0.32)


def _draw_shelves(canvas: Canvas, dim: Light, rng: Random) -> None:
    for y in (168, 236):
        canvas.rectangle(10, y, 202, y + 10, dim.on((156, 98, 58)), 3)
        for x in (34, 78, 122, 166):
            fill = dim.on(rng.choice(((226, 84, 72), (250, 250, 246), (84, 142, 204))))
            if rng.random() < 0.5:
                canvas.rectangle(x - 14, y - 34, x + 14, y, fill, 5)
                canvas.rectangle(x - 10, y - 42, x + 10, y - 32, darker(fill, 0.3), 3)
            else:
                canvas.ellipse(x, y - 18, 18, 18, fill)
                canvas.ellipse(x, y - 18, 10, 10, darker(fill, 0.14))
