"""The words for how heroes look: hair, colours, garments, adjectives."""

from __future__ import annotations

from collections.abc import Mapping

Words = tuple[str, ...]

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
    "short": ("short {} hair", "{} hair", "short {} hair", "neat short {} hair"),
    "long": ("long {} hair", "long {} hair", "long flowing {} hair", "{} long hair"),
    "ponytail": (
        "{} hair in a ponytail",
        "a {} ponytail",
        "long {} hair in a ponytail",
        "shoulder-length {} hair in a ponytail",
    ),
    "pigtails": ("{} pigtails", "{} hair in pigtails", "two {} pigtails"),
    "bob": (
        "short {} hair",
        "a {} bob",
        "shoulder-length {} hair",
        "{} bob hair",
        "a short {} bob",
    ),
    "mohawk": ("a {} mohawk", "{} mohawk"),
    "messy": ("{} messy hair", "messy {} hair", "spiky {} hair"),
    "bun": ("{} hair in a bun", "a {} bun", "{} hair", "a {} hair bun"),
    "balding": ("{} hair", "thin {} hair", "{} hair", "balding {} hair"),
}
BALD: Words = ("a bald head", "a shaved head", "no hair")
BEARD_WORDS: Mapping[str, Words] = {
    "beard": ("a {} beard", "a {} beard", "{} beard", "a short {} beard"),
    "long beard": ("a long {} beard", "long {} beard", "a big {} beard"),
}
EYEWEAR_WORDS: Mapping[str, Words] = {
    "glasses": ("glasses", "round glasses", "eyeglasses"),
    "sunglasses": ("sunglasses", "dark sunglasses", "sunglasses"),
    "goggles": ("VR goggles", "goggles", "a VR headset", "cyber goggles"),
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
OLD: Mapping[str, Words] = {
    "old woman": ("old woman", "elderly woman", "grandmother", "elder woman", "old lady"),
    "old man": ("old man", "elderly man", "grandfather", "elder", "elderly man"),
}
KIND_WORDS: Mapping[str, Words] = {
    "woman": ("woman", "woman", "woman", "lady"),
    "man": ("man", "man", "man", "guy"),
    "girl": ("girl",),
    "boy": ("boy",),
    **OLD,
}
ADJECTIVES: Mapping[str, Words] = {
    "woman": ("young", "tall", "tall athletic", "", "", "beautiful"),
    "man": ("young", "tall", "muscular", "", "", "strong"),
    "girl": ("young", "little", "", "happy"),
    "boy": ("young", "little", "", "happy"),
    "old woman": ("", "", "kind"),
    "old man": ("", "", "wise"),
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
