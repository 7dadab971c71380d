"""Rain, falling snow and fog over a painted land, before whoever stands in front."""

from __future__ import annotations

from random import Random

from training.canvas import GRID, Canvas
from training.palette import Colour, Light, darker, lighter, mix


def draw_weather(canvas: Canvas, weather: str, light: Light, ground: Colour, rng: Random) -> None:
    """Paint that weather over the land.

    Raises:
        ValueError: There is no such weather.
    """
    if weather == "rain":
        _draw_rain(canvas, light, ground, rng)
    elif weather == "snow":
        _draw_flakes(canvas, rng)
    elif weather == "fog":
        _draw_fog(canvas, light, rng)
    elif weather != "clear":
        raise ValueError(f"no such weather: {weather!r}")


def _draw_rain(canvas: Canvas, light: Light, ground: Colour, rng: Random) -> None:
    cloud = mix(light.sky_top, (120, 126, 146), 0.6)
    for x in (rng.randint(20, 60) + 128 * i for i in range(4)):
        for dx, dy, radius in ((-46, 8, 34), (0, 2, 48), (48, 8, 36)):
            canvas.ellipse(x + dx, dy, radius * 1.2, radius, cloud)
    puddle = mix(lighter(light.sky_bottom, 0.2), ground, 0.25)
    for x in (80 + rng.randint(-24, 24), 432 + rng.randint(-24, 24)):
        y = rng.randint(444, 490)
        canvas.ellipse(x, y, 66, 15, darker(puddle, 0.25))
        canvas.ellipse(x, y, 60, 12, puddle)
        canvas.ellipse(x - 10, y - 2, 22, 4, lighter(puddle, 0.6))
    streak = mix((230, 242, 255), light.sky_top, 0.06 if light.stars else 0.14)
    for i in range(84):
        x, y = (i * 53 + rng.randint(-20, 20)) % 560, rng.uniform(30, 490)
        tall = rng.randint(26, 42)
        canvas.line([(x, y), (x - tall * 0.4, y + tall)], 4, streak)


def _draw_flakes(canvas: Canvas, rng: Random) -> None:
    for i in range(100):
        x, y = (i * 61 + rng.randint(-26, 26)) % GRID, (i * 37 + rng.randint(-30, 30)) % GRID
        radius = rng.choice((4.5, 6.0, 8.5))
        canvas.ellipse(x, y, radius + 1.4, radius + 1.4, (196, 206, 226))
        canvas.ellipse(x, y, radius, radius, (255, 255, 255))


def _draw_fog(canvas: Canvas, light: Light, rng: Random) -> None:
    fog = lighter(mix(light.sky_bottom, (226, 230, 236), 0.55), 0.1)
    if light.stars:
        fog = mix(fog, light.sky_bottom, 0.16)
    for y, strength in ((290, 0.75), (356, 0.9), (424, 0.8)):
        canvas.haze(256 + rng.randint(-40, 40), y, 380, 46, fog, strength)
    for x in (30, 170, 330, 480):
        spot = (x + rng.randint(-40, 40), rng.randint(300, 420))
        canvas.haze(*spot, 130, 40, fog, 0.85)
