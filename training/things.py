"""The animals and things of the world: what they are called and how large they stand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Place(Enum):
    """Where a thing belongs in a picture."""

    GROUND = "ground"
    WATER = "water"
    AIR = "air"


@dataclass(frozen=True)
class Thing:
    """One animal or object.

    Attributes:
        glyph: The emoji that shows it; empty where drawing code of ours does.
        names: What people call it, the usual name first.
        width: Usual width on the 512 grid when it is the picture's subject.
        weight: How often it is drawn, against 1 for most things.
    """

    glyph: str
    names: tuple[str, ...]
    place: Place = Place.GROUND
    width: int = 230
    weight: float = 1.0

    @property
    def name(self) -> str:
        """The usual name, which also keys the atlas."""
        return self.names[0]


G, W, A = Place.GROUND, Place.WATER, Place.AIR

THINGS: tuple[Thing, ...] = (
    Thing("\U0001f409", ("dragon", "green dragon", "fearsome dragon"), G, 270, 3.0),
    Thing("\U0001f42c", ("dolphin", "jumping dolphin", "leaping dolphin"), W, 230, 3.0),
    Thing("\U0001f3ce", ("red sports car", "sports car", "red race car"), G, 270, 3.0),
    Thing("\U0001f577", ("spider", "giant spider", "huge spider", "black spider"), G, 240, 3.0),
    Thing("\U0001f3b8", ("guitar", "electric guitar", "red guitar"), G, 210, 2.0),
    Thing("\U0001f344", ("mushroom", "red mushroom", "glowing mushroom", "toadstool"), G, 210, 3.0),
    Thing("", ("treasure chest", "ancient treasure chest", "chest of gold"), G, 230, 3.0),
    Thing(
        "\U0001f4bb", ("laptop", "computer", "laptop computer", "holographic keyboard"), G, 220, 3.0
    ),
    Thing("\U0001f415", ("dog", "puppy", "brown dog"), G, 210, 1.5),
    Thing("\U0001f408", ("cat", "kitten", "kitty"), G, 200, 1.5),
    Thing("\U0001f98a", ("fox", "red fox"), G, 210),
    Thing("\U0001f407", ("rabbit", "bunny", "hare"), G, 190),
    Thing("\U0001f43c", ("panda", "panda bear"), G, 210),
    Thing("\U0001f981", ("lion", "brave lion"), G, 220),
    Thing("\U0001f405", ("tiger", "striped tiger"), G, 250),
    Thing("\U0001f418", ("elephant", "big elephant"), G, 250),
    Thing("\U0001f40e", ("horse", "pony", "galloping horse"), G, 240),
    Thing("\U0001f984", ("unicorn", "white unicorn"), G, 220),
    Thing("\U0001f427", ("penguin", "little penguin"), G, 190),
    Thing("\U0001f989", ("owl", "wise owl"), G, 190),
    Thing("\U0001f438", ("frog", "green frog"), G, 200),
    Thing("\U0001f422", ("turtle", "tortoise", "green turtle"), G, 220),
    Thing("\U0001f433", ("whale", "blue whale"), W, 240),
    Thing("\U0001f419", ("octopus", "red octopus"), W, 220),
    Thing("\U0001f98b", ("butterfly", "orange butterfly"), A, 200),
    Thing("\U0001f980", ("crab", "red crab"), G, 210),
    Thing("\U0001f404", ("cow", "spotted cow"), G, 240),
    Thing("\U0001f996", ("dinosaur", "t-rex", "tyrannosaurus"), G, 250),
    Thing("\U0001f47b", ("ghost", "friendly ghost"), A, 190),
    Thing("\U0001f333", ("tree", "big tree", "oak tree"), G, 260),
    Thing("\U0001f334", ("palm tree", "palm"), G, 240),
    Thing("\U0001f335", ("cactus", "green cactus"), G, 220),
    Thing("\U0001f33b", ("sunflower", "yellow sunflower"), G, 210),
    Thing("\u26c4", ("snowman", "happy snowman"), G, 210),
    Thing("\U0001f680", ("rocket", "rocket ship", "spaceship"), A, 230),
    Thing("\U0001f6f8", ("flying saucer", "ufo", "alien ship"), A, 240),
    Thing("\U0001f388", ("red balloon", "balloon"), A, 180),
    Thing("\u26f5", ("sailboat", "sailing boat", "boat"), W, 230, 1.5),
    Thing("\U0001f6b2", ("bicycle", "bike"), G, 240),
    Thing("\U0001f682", ("train", "steam train", "locomotive"), G, 250),
    Thing("\U0001f695", ("taxi", "yellow taxi", "yellow cab"), G, 230),
    Thing("\U0001f68c", ("bus", "big bus"), G, 250),
    Thing("\U0001f3e0", ("house", "little house", "cottage"), G, 260),
    Thing("\U0001f451", ("crown", "golden crown", "king's crown"), G, 210),
    Thing("\U0001f383", ("pumpkin", "jack-o'-lantern", "halloween pumpkin"), G, 210),
    Thing("\U0001f382", ("cake", "birthday cake"), G, 210),
    Thing("\U0001f9f8", ("teddy bear", "teddy"), G, 210),
    Thing("\U0001f525", ("fire", "campfire", "bonfire"), G, 190),
    # The first world ends here: what follows was added after its models were trained.
    Thing("\U0001f43b", ("bear", "brown bear", "grizzly bear")),
    Thing("\U0001f428", ("koala", "koala bear")),
    Thing("\U0001f412", ("monkey", "brown monkey", "chimpanzee")),
    Thing("\U0001f98d", ("gorilla", "big ape")),
    Thing("\U0001f43a", ("wolf", "grey wolf", "gray wolf")),
    Thing("\U0001f99d", ("raccoon", "racoon")),
    Thing("\U0001f416", ("pig", "piglet", "pink pig")),
    Thing("\U0001f411", ("sheep", "lamb", "woolly sheep")),
    Thing("\U0001f42a", ("camel", "dromedary"), G, 240),
    Thing("\U0001f992", ("giraffe", "tall giraffe"), G, 250),
    Thing("\U0001f993", ("zebra", "striped zebra"), G, 240),
    Thing("\U0001f98f", ("rhinoceros", "rhino"), G, 240),
    Thing("\U0001f998", ("kangaroo", "hopping kangaroo")),
    Thing("\U0001f401", ("mouse", "white mouse", "little mouse")),
    Thing("\U0001f439", ("hamster", "guinea pig")),
    Thing("\U0001f994", ("hedgehog", "spiky hedgehog")),
    Thing("\U0001f987", ("bat", "vampire bat"), A, 220),
    Thing("\U0001f9a5", ("sloth", "sleepy sloth")),
    Thing("\U0001f43f", ("squirrel", "chipmunk")),
    Thing("\U0001f98c", ("deer", "stag", "reindeer"), G, 240),
    Thing("\U0001f999", ("llama", "alpaca")),
    Thing("\U0001f413", ("rooster", "chicken", "hen")),
    Thing("\U0001f425", ("chick", "baby chick", "yellow chick")),
    Thing("\U0001f986", ("duck", "mallard"), W, 220),
    Thing("\U0001f9a2", ("swan", "white swan"), W, 230),
    Thing("\U0001f9a9", ("flamingo", "pink flamingo")),
    Thing("\U0001f99a", ("peacock", "proud peacock"), G, 240),
    Thing("\U0001f99c", ("parrot", "colourful parrot", "parakeet")),
    Thing("\U0001f985", ("eagle", "bald eagle", "hawk"), A, 230),
    Thing("\U0001f54a", ("dove", "white dove", "pigeon"), A, 220),
    Thing("\U0001f40a", ("crocodile", "alligator"), G, 250),
    Thing("\U0001f98e", ("lizard", "gecko")),
    Thing("\U0001f40d", ("snake", "green snake", "serpent")),
    Thing("\U0001f995", ("brontosaurus", "brachiosaurus", "long-necked dinosaur"), G, 250),
    Thing("\U0001f988", ("shark", "great white shark"), W, 250),
    Thing("\U0001f420", ("tropical fish", "fish", "striped fish"), W, 220),
    Thing("\U0001f421", ("pufferfish", "blowfish"), W, 220),
    Thing("\U0001f9ad", ("seal", "sea lion"), W, 230),
    Thing("\U0001f40c", ("snail", "slow snail")),
    Thing("\U0001f41d", ("bee", "honeybee", "bumblebee"), A, 210),
    Thing("\U0001f41e", ("ladybug", "ladybird")),
    Thing("\U0001f982", ("scorpion", "dangerous scorpion")),
    Thing("\U0001f41b", ("caterpillar", "green caterpillar")),
    Thing("\U0001f47d", ("alien", "green alien", "extraterrestrial")),
    Thing("\U0001f480", ("skull", "white skull")),
    Thing("\U0001f339", ("rose", "red rose")),
    Thing("\U0001f337", ("tulip", "pink tulip")),
    Thing("\U0001f338", ("cherry blossom", "pink blossom")),
    Thing("\U0001f384", ("christmas tree", "decorated christmas tree"), G, 250),
    Thing("\U0001f340", ("four-leaf clover", "clover", "lucky clover")),
    Thing("\U0001f341", ("maple leaf", "red leaf", "autumn leaf")),
    Thing("\U0001fab4", ("potted plant", "house plant")),
    Thing("\U0001f34e", ("apple", "red apple")),
    Thing("\U0001f34c", ("banana", "bananas")),
    Thing("\U0001f34a", ("orange", "tangerine")),
    Thing("\U0001f34b", ("lemon", "yellow lemon")),
    Thing("\U0001f349", ("watermelon", "slice of watermelon")),
    Thing("\U0001f347", ("grapes", "bunch of grapes")),
    Thing("\U0001f353", ("strawberry", "red strawberry")),
    Thing("\U0001f352", ("cherries", "pair of cherries")),
    Thing("\U0001f34d", ("pineapple", "ripe pineapple")),
    Thing("\U0001f951", ("avocado", "half avocado")),
    Thing("\U0001f955", ("carrot", "orange carrot")),
    Thing("\U0001f33d", ("corn", "ear of corn")),
    Thing("\U0001f966", ("broccoli", "green broccoli")),
    Thing("\U0001f35e", ("bread", "loaf of bread")),
    Thing("\U0001f950", ("croissant", "buttery croissant")),
    Thing("\U0001f9c0", ("cheese", "piece of cheese")),
    Thing("\U0001f354", ("hamburger", "burger", "cheeseburger")),
    Thing("\U0001f35f", ("french fries", "fries")),
    Thing("\U0001f355", ("pizza", "slice of pizza")),
    Thing("\U0001f32d", ("hot dog", "hotdog")),
    Thing("\U0001f369", ("donut", "doughnut")),
    Thing("\U0001f36a", ("cookie", "chocolate chip cookie")),
    Thing("\U0001f366", ("ice cream", "ice cream cone")),
    Thing("\U0001f9c1", ("cupcake", "muffin")),
    Thing("\U0001f36d", ("lollipop", "big lollipop")),
    Thing("\U0001f36f", ("honey pot", "pot of honey", "jar of honey")),
    Thing("\u2615", ("coffee", "cup of coffee", "coffee cup")),
    Thing("\U0001fad6", ("teapot", "tea pot")),
    Thing("\U0001f692", ("fire engine", "fire truck"), G, 250),
    Thing("\U0001f693", ("police car", "cop car"), G, 250),
    Thing("\U0001f691", ("ambulance", "white ambulance"), G, 250),
    Thing("\U0001f69a", ("truck", "delivery truck", "lorry"), G, 250),
    Thing("\U0001f69c", ("tractor", "farm tractor"), G, 250),
    Thing("\U0001f3cd", ("motorcycle", "motorbike"), G, 250),
    Thing("\u2708", ("airplane", "plane", "aeroplane", "jet"), A, 240),
    Thing("\U0001f681", ("helicopter", "chopper"), A, 240),
    Thing("\U0001f6a2", ("ship", "cruise ship", "ocean liner"), W, 240),
    Thing("\U0001f6a4", ("speedboat", "motorboat"), W, 240),
    Thing("\U0001f6f6", ("canoe", "kayak"), W, 240),
    Thing("\U0001f6f0", ("satellite", "space satellite"), A, 230),
    Thing("\U0001f3a1", ("ferris wheel", "big wheel"), G, 250),
    Thing("\U0001f3a0", ("carousel", "merry-go-round"), G, 240),
    Thing("\u26fa", ("tent", "camping tent"), G, 250),
    Thing("\u26ea", ("church", "little church", "chapel"), G, 250),
    Thing("\U0001f3ef", ("pagoda", "japanese castle"), G, 250),
    Thing("\U0001f5fc", ("tower", "tall tower", "eiffel tower"), G, 250),
    Thing("\U0001f5fd", ("statue of liberty", "green statue"), G, 250),
    Thing("\U0001f6d6", ("hut", "straw hut"), G, 240),
    Thing("\u26f2", ("fountain", "stone fountain", "water fountain"), G, 240),
    Thing("\U0001f5ff", ("stone head", "moai", "easter island statue")),
    Thing("\u2602", ("umbrella", "open umbrella")),
    Thing("\u26bd", ("soccer ball", "football")),
    Thing("\U0001f3c0", ("basketball", "basket ball")),
    Thing("\U0001fa81", ("kite", "flying kite"), A, 220),
    Thing("\U0001f381", ("gift", "present", "wrapped gift")),
    Thing("\U0001f4d5", ("book", "red book", "closed book")),
    Thing("\U0001f511", ("key", "golden key")),
    Thing("\U0001f514", ("bell", "golden bell")),
    Thing("\U0001f941", ("drum", "snare drum")),
    Thing("\U0001f3b9", ("piano", "piano keyboard")),
    Thing("\U0001f3ba", ("trumpet", "brass trumpet")),
    Thing("\U0001f3bb", ("violin", "fiddle")),
    Thing("\U0001f3a4", ("microphone", "mic")),
    Thing("\U0001f4f7", ("camera", "photo camera")),
    Thing("\u260e", ("telephone", "red telephone", "phone")),
    Thing("\U0001f4fa", ("television", "tv", "old television set")),
    Thing("\U0001f4a1", ("light bulb", "lightbulb")),
    Thing("\u23f0", ("alarm clock", "clock", "red clock")),
    Thing("\u23f3", ("hourglass", "sand timer")),
    Thing("\U0001f56f", ("candle", "burning candle")),
    Thing("\U0001f3ee", ("lantern", "red lantern", "paper lantern")),
    Thing("\U0001f52d", ("telescope", "big telescope")),
    Thing("\U0001f9f2", ("magnet", "horseshoe magnet")),
    Thing("\U0001f30d", ("globe", "planet earth")),
    Thing("\U0001f52e", ("crystal ball", "magic orb")),
    Thing("\U0001f48e", ("diamond", "blue gem", "jewel")),
    Thing("\U0001f3c6", ("trophy", "golden trophy", "golden cup")),
    Thing("\U0001f6e1", ("shield", "knight's shield")),
    Thing("\U0001fa93", ("axe", "hatchet")),
    Thing("\u2693", ("anchor", "ship's anchor")),
    Thing("\U0001fa91", ("chair", "wooden chair")),
    Thing("\U0001f6cb", ("sofa", "couch")),
    Thing("\U0001f6c1", ("bathtub", "bath")),
    Thing("\U0001f392", ("backpack", "school bag", "rucksack")),
    Thing("\U0001f462", ("boot", "brown boot")),
    Thing("\U0001f3a9", ("top hat", "magician's hat")),
    Thing("\U0001f45f", ("sneaker", "running shoe")),
    Thing("\u2764", ("heart", "red heart", "big heart"), A, 210),
    Thing("\u2b50", ("star", "yellow star", "golden star"), A, 210),
    Thing("\U0001f308", ("rainbow", "colourful rainbow"), A, 250),
    Thing("\u2744", ("snowflake", "ice crystal"), A, 210),
    Thing("\U0001f41a", ("seashell", "spiral shell")),
    Thing("\U0001f3b2", ("dice", "game dice")),
    Thing("\U0001f3ae", ("game controller", "gamepad")),
    Thing("\U0001f3a8", ("paint palette", "artist's palette")),
    Thing("\U0001f4a3", ("bomb", "black bomb")),
    Thing("\U0001faa3", ("bucket", "blue bucket")),
    Thing("\U0001f95a", ("egg", "brown egg")),
)


def thing_named(name: str) -> Thing:
    """Return the thing of that usual name.

    Raises:
        KeyError: Nothing in the world is called so.
    """
    for thing in THINGS:
        if thing.name == name:
            return thing
    raise KeyError(name)
