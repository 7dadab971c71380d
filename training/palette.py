"""Named colours and the light of each time of day, as RGB bytes."""

from __future__ import annotations

from dataclasses import dataclass

Colour = tuple[int, int, int]

HAIR_COLOURS: dict[str, Colour] = {
    "black": (38, 34, 40),
    "brown": (112, 66, 34),
    "blonde": (246, 206, 84),
    "red": (206, 62, 22),
    "grey": (206, 208, 214),
    "blue": (40, 120, 240),
    "green": (48, 170, 80),
    "pink": (248, 120, 180),
}
GARMENT_COLOURS: dict[str, Colour] = {
    "red": (220, 36, 44),
    "orange": (246, 134, 26),
    "yellow": (250, 206, 40),
    "green": (42, 152, 70),
    "blue": (38, 94, 214),
    "purple": (126, 56, 176),
    "pink": (250, 136, 186),
    "white": (246, 246, 248),
    "black": (44, 44, 52),
    "brown": (128, 82, 48),
    "silver": (184, 194, 206),
    "gold": (232, 180, 48),
}
EYE_COLOURS: dict[str, Colour] = {
    "brown": (92, 54, 28),
    "blue": (44, 110, 210),
    "green": (36, 140, 70),
    "dark": (36, 32, 40),
}
SKIN_TONES: tuple[Colour, ...] = (
    (255, 216, 182),
    (216, 158, 112),
    (144, 94, 62),
)


@dataclass(frozen=True)
class Light:
    """What a time of day does to the sky and to everything under it.

    Attributes:
        tint: Factors on red, green and blue of the land, 0 to 1.
        disc: Centre x, centre y and radius of sun or moon on the 512 grid.
    """

    sky_top: Colour
    sky_bottom: Colour
    tint: tuple[float, float, float]
    disc: tuple[int, int, int]
    disc_colour: Colour
    stars: bool = False

    def on(self, colour: Colour) -> Colour:
        """Return the colour as it looks in this light."""
        red, green, blue = (round(c * t) for c, t in zip(colour, self.tint, strict=True))
        return red, green, blue


LIGHTS: dict[str, Light] = {
    "sunrise": Light(
        (248, 166, 196), (255, 242, 178), (1.0, 0.92, 0.84), (92, 176, 46), (255, 250, 204)
    ),
    "noon": Light((72, 160, 246), (188, 228, 255), (1.0, 1.0, 1.0), (410, 70, 42), (255, 232, 70)),
    "sunset": Light(
        (226, 62, 58), (255, 170, 54), (0.94, 0.68, 0.58), (420, 186, 52), (255, 84, 34)
    ),
    "purple sunset": Light(
        (88, 40, 150), (240, 120, 176), (0.82, 0.62, 0.82), (420, 186, 52), (255, 214, 150)
    ),
    "night": Light(
        (10, 14, 50), (40, 48, 104), (0.43, 0.47, 0.7), (400, 80, 40), (250, 246, 214), stars=True
    ),
}


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Blend two colours; `share` is the part of the second, 0 to 1."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def darker(colour: Colour, share: float = 0.22) -> Colour:
    """Return the colour mixed with a dark blue-black."""
    return mix(colour, (20, 16, 34), share)


def lighter(colour: Colour, share: float = 0.3) -> Colour:
    """Return the colour mixed with white."""
    return mix(colour, (255, 255, 255), share)
