"""The words for where, when and what happens, and filler."""

from __future__ import annotations

from collections.abc import Mapping

Words = tuple[str, ...]

SETTING_PHRASES: Mapping[str, Words] = {
    "mountain": (
        "on a mountain peak",
        "on a mountain",
        "in the mountains",
        "on a mountain top",
        "on a snowy mountain summit",
        "with mountains behind",
    ),
    "beach": (
        "on a beach",
        "on a sandy beach",
        "at the beach",
        "on the seashore",
        "by the sea",
        "along the beach",
    ),
    "forest": (
        "in a forest",
        "in the woods",
        "in a magical forest",
        "in a deep forest",
        "through the forest",
        "among trees",
        "in a green forest",
    ),
    "desert": (
        "in the desert",
        "in a desert",
        "among sand dunes",
        "on the dunes",
        "in a hot desert",
    ),
    "ocean": ("in the ocean", "over the ocean", "at sea", "on the ocean waves", "in the blue sea"),
    "snow": ("in the snow", "in a snowy field", "in a winter landscape", "on snow", "in winter"),
    "meadow": (
        "in a meadow",
        "in a park",
        "in a green field",
        "in a garden",
        "on grassy hills",
        "in a flower meadow",
        "in park",
    ),
    "city": (
        "in a city street",
        "in a busy city street",
        "in the city",
        "on a busy street",
        "downtown",
        "among tall buildings",
        "through a busy city street",
        "in a big city",
    ),
    "neon city": (
        "in a neon city",
        "in rainy neon-lit streets",
        "through rainy neon-lit streets",
        "in a cyberpunk city",
        "among neon lights",
        "in a neon-lit street",
        "in a futuristic city with neon lights",
    ),
    "castle": (
        "in front of a castle gate",
        "at a castle gate",
        "in front of a castle",
        "by a castle",
        "outside a castle",
        "at the castle",
    ),
    "cave": (
        "in a cave",
        "inside the cave with glowing crystals",
        "at the entrance of a dark cave",
        "in a dark cave",
        "in a crystal cave",
        "outside the cave",
    ),
    "village": (
        "in a village square",
        "in a village",
        "in a small town",
        "in the village square",
        "among little houses",
        "in a cozy village",
    ),
    "rooftop": (
        "on a rooftop",
        "on a roof",
        "overlooking the city from a rooftop",
        "above the city",
        "on top of a building",
    ),
    "room": (
        "in a room",
        "in a dark room",
        "indoors",
        "at home",
        "in a house",
        "in a bedroom",
        "in a hallway",
        "in a cafe",
    ),
}
VIEW_PHRASES: Mapping[str, Words] = {
    "mountain": ("mountains", "a mountain peak", "snowy mountains", "a mountain landscape"),
    "beach": ("a beach", "a calm ocean beach", "a sandy beach", "a seaside"),
    "forest": ("a forest", "a green forest landscape", "a magical forest", "woods", "fir trees"),
    "desert": ("a desert", "sand dunes", "a desert landscape"),
    "ocean": ("the ocean", "a blue ocean wave", "the sea with waves", "ocean waves", "open water"),
    "snow": ("a snowy field", "a winter landscape", "a snow landscape", "snow"),
    "meadow": ("a meadow", "green hills", "a park", "a landscape", "a garden with flowers"),
    "city": ("a busy city street", "a city", "a city street with buildings", "a big city"),
    "neon city": ("a cyberpunk city with neon lights", "a neon city", "rainy neon-lit streets"),
    "castle": ("a castle", "a castle gate", "an old castle", "a stone castle"),
    "cave": ("a cave", "a cave with glowing crystals", "a dark cave", "a crystal cave"),
    "village": ("a village", "a village square", "a small town", "little houses"),
    "rooftop": ("a rooftop", "a view from a rooftop", "a roof above the city"),
    "room": ("a room", "an empty room", "a room with a window", "a bedroom"),
}
SKY_PHRASES: Mapping[str, Words] = {
    "sunrise": ("at sunrise", "at dawn", "in the early morning", "during sunrise", "sunrise"),
    "noon": ("at noon", "at midday", "on a sunny day", "in daylight", "during the day", "noon"),
    "sunset": (
        "at sunset",
        "at dusk",
        "in the evening",
        "during sunset",
        "sunset",
        "orange sunset",
    ),
    "purple sunset": (
        "with a purple sunset sky",
        "at purple sunset",
        "under a purple sky",
        "purple sunset sky",
    ),
    "night": (
        "at night",
        "at midnight",
        "under the moon",
        "under the stars",
        "night",
        "by moonlight",
    ),
}
POSE_PHRASES: Mapping[str, Words] = {
    "standing": ("standing", "standing still", "waiting", "posing", "looking at us"),
    "walking": ("walking", "strolling", "exploring", "wandering", "hiking"),
    "running": ("running", "racing", "running fast", "sprinting", "dashing"),
    "sitting": ("sitting", "sitting down", "resting", "seated", "typing"),
    "jumping": ("jumping", "leaping", "jumping high", "jumping for joy"),
    "celebrating": (
        "celebrating",
        "with both arms up",
        "cheering",
        "celebrating victory",
        "raising both arms",
    ),
}
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
DANGER_PHRASES: Words = ("fighting {}", "running away from {}", "facing {}", "battling {}")
DANGERS = ("dragon", "spider", "dinosaur", "octopus", "tiger", "lion", "ghost")
HELD_PHRASES: Mapping[str, Words] = {
    "sword": ("holding a sword", "with a sword", "with a shining sword"),
    "staff": ("holding a wooden staff", "with a magic staff", "holding a staff"),
    "torch": ("holding a torch", "with a burning torch", "carrying a torch"),
    "guitar": ("playing guitar", "playing a guitar", "with a guitar", "holding a guitar"),
}
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
    "with mist",
    "vibrant colors",
    "cinematic",
    "trending",
    "sharp focus",
    "freckles",
)
