"""The words for meetings with things, and filler."""

from __future__ import annotations

from collections.abc import Mapping

Words = tuple[str, ...]

BESIDE_PHRASES: Words = (
    "next to {}",
    "beside {}",
    "with {}",
    "and {}",
    "near {}",
    "meeting {}",
    "looking at {}",
    "finding {}",
    "discovering {}",
)
THING_RELATIONS: Mapping[str, Words] = {
    "laptop": (
        "typing on {}",
        "typing on {}",
        "typing on {}",
        "working on {}",
        "using {}",
        "next to {}",
    ),
    "book": ("reading {}", "with {}"),
    "piano": ("playing {}", "next to {}"),
    "drum": ("playing {}", "next to {}"),
    "treasure chest": ("discovering {}", "finding {}", "opening {}"),
}
THING_ACTIONS: Mapping[str, Words] = {
    "dolphin": ("jumping", "jumping", "leaping out of the water"),
    "red sports car": ("driving fast", "parked"),
    "train": ("arriving",),
    "airplane": ("flying",),
    "butterfly": ("flying",),
    "eagle": ("flying", "soaring"),
    "dove": ("flying",),
    "rocket": ("flying", "lifting off"),
    "fire": ("burning",),
}
DANGER_PHRASES: Words = ("fighting {}", "running away from {}", "facing {}", "battling {}")
DANGERS = (
    *("dragon", "spider", "dinosaur", "octopus", "tiger", "lion", "ghost", "bear", "wolf"),
    *("gorilla", "crocodile", "snake", "shark", "scorpion", "alien", "skull"),
)
OPENERS: Words = (
    "a beautiful picture of",
    "a storybook illustration of",
    "an image of",
    "a photo of",
    "a cute",
)
THING_ADJECTIVES: Words = ("cute", "big", "little", "beautiful", "giant", "lovely", "old", "single")
VIEW_ADJECTIVES: Words = ("peaceful", "beautiful", "calm", "quiet", "stunning", "magical")
FILLERS: Words = (
    "highly detailed",
    "photorealistic",
    "cartoon style",
    "fantasy art style",
    "anime style",
    "4k",
    "digital art",
    "consistent character",
    "masterpiece",
    "soft light",
    "storybook style",
    "realistic",
    "vibrant colors",
    "cinematic",
    "trending",
    "sharp focus",
    "freckles",
    "photorealistic style",
    "3D render",
)
