"""The words for what is drawn: synonyms, places, times, poses and filler."""

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
    "beach": ("on a beach", "on a sandy beach", "at the beach", "on the seashore", "by the sea"),
    "forest": (
        "in a forest",
        "in the woods",
        "in a magical forest",
        "in a deep forest",
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
        "walking in park",
    ),
    "city": (
        "in a city street",
        "in a busy city street",
        "in the city",
        "on a busy street",
        "downtown",
        "among tall buildings",
        "in a big city",
    ),
    "neon city": (
        "in a neon city",
        "in rainy neon-lit streets",
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
HAIR_WORDS: Mapping[str, Words] = {
    "black": ("black", "black", "dark", "jet black"),
    "brown": ("brown", "brown", "chestnut", "brunette"),
    "blonde": ("blonde", "blonde", "blond", "golden"),
    "red": ("red", "red", "ginger", "auburn"),
    "grey": ("grey", "gray", "white", "silver"),
    "blue": ("blue", "blue", "neon blue"),
    "green": ("green", "green", "neon green"),
    "pink": ("pink", "pink", "hot pink"),
}
CLOTH_WORDS: Mapping[str, Words] = {
    "red": ("red", "red", "red", "crimson", "scarlet"),
    "orange": ("orange",),
    "yellow": ("yellow",),
    "green": ("green", "green", "emerald"),
    "blue": ("blue", "blue", "blue", "royal blue"),
    "purple": ("purple", "purple", "violet"),
    "pink": ("pink",),
    "white": ("white",),
    "black": ("black", "black", "dark"),
    "brown": ("brown",),
    "silver": ("silver", "silver", "shining silver", "steel"),
    "gold": ("gold", "golden"),
}
STYLE_WORDS: Mapping[str, Words] = {
    "short": ("short {} hair", "{} hair", "short {} hair", "shoulder-length {} hair"),
    "long": ("long {} hair", "long {} hair", "long flowing {} hair"),
    "ponytail": ("{} hair in a ponytail", "a {} ponytail", "long {} hair in a ponytail"),
    "pigtails": ("{} pigtails", "{} hair in pigtails"),
    "mohawk": ("a {} mohawk", "{} mohawk"),
    "messy": ("{} messy hair", "messy {} hair", "spiky {} hair"),
}
GARMENT_WORDS: Mapping[str, Words] = {
    "jacket": ("a {} jacket", "a {} jacket", "{} jacket", "a {} leather jacket"),
    "coat": ("a {} coat", "a long {} coat"),
    "dress": ("a {} dress", "a pretty {} dress"),
    "robe": ("a {} robe", "{} robes", "long {} robes"),
    "tunic": ("a {} tunic", "{} tunic"),
    "overalls": ("{} overalls", "{} dungarees"),
    "suit": ("a {} suit", "{} suit"),
    "t-shirt": ("a {} t-shirt", "a {} shirt", "{} tactical gear"),
    "sweater": ("a {} sweater", "a {} hoodie", "a {} pullover"),
    "armor": ("{} armor", "{} armour", "{} plate armor"),
    "space suit": ("a {} space suit", "{} spacesuit"),
}
ADJECTIVES: Mapping[str, Words] = {
    "woman": ("young", "tall", "tall athletic", "", "", "smiling"),
    "man": ("young", "tall", "muscular", "", "", "strong"),
    "girl": ("young", "little", "", "happy"),
    "boy": ("young", "little", "", "happy"),
    "old woman": ("",),
    "old man": ("",),
}
OLD: Mapping[str, Words] = {
    "old woman": ("old woman", "elderly woman", "grandmother", "elder woman"),
    "old man": ("old man", "elderly man", "grandfather", "elder"),
}
ROLE_ADJECTIVES: Mapping[str, Words] = {
    "knight": ("brave", "noble", "", ""),
    "wizard": ("elderly", "old", "wise", ""),
    "superhero": ("muscular", "strong", "", ""),
    "adventurer": ("young", "brave", "", ""),
    "hacker": ("cyberpunk", "young", "", ""),
    "robot": ("cute", "friendly", "little", ""),
    "astronaut": ("brave", "young", "", ""),
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
