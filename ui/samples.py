"""Things to try, that the bundled model and one for photographs can both draw."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SampleImage:
    name: str
    prompt: str


@dataclass(frozen=True)
class SampleStory:
    name: str
    hero: str
    scenes: tuple[str, ...]


IMAGES = (
    SampleImage("Moon walk", "an astronaut jumping on the moon among the stars"),
    SampleImage("Toadstool wood", "a giant red mushroom in a magical forest, by moonlight"),
    SampleImage(
        "Wizard's cave",
        "a wizard with a long white beard and a purple robe in a cave with glowing crystals",
    ),
    SampleImage("Robot with guitar", "a friendly robot playing a guitar on a rooftop at night"),
    SampleImage("Neon streets", "a cyberpunk city with neon lights at night, rainy streets"),
)
STORIES = (
    SampleStory(
        "The cave",
        "a young adventurer with messy brown hair, wearing a green tunic, storybook style",
        (
            "standing at the entrance of a dark cave, holding a torch",
            "discovering an ancient treasure chest inside the cave with glowing crystals",
            "celebrating in a meadow at sunset",
        ),
    ),
    SampleStory(
        "The long way home",
        "a girl with blonde pigtails, wearing a yellow sweater, cartoon style",
        (
            "walking in a village square at dawn",
            "running on a sandy beach at noon",
            "sitting on grassy hills at sunset",
            "standing on a rooftop under the stars",
        ),
    ),
    SampleStory(
        "The old wizard",
        "an old wizard with a long white beard, wearing a purple robe, storybook style",
        (
            "standing in front of a castle gate at sunrise",
            "walking through a snowy forest at noon",
            "holding a staff by a quiet lake at night",
        ),
    ),
    SampleStory(
        "A day of views",
        "",
        (
            "a peaceful sunrise over snowy mountains",
            "a calm ocean beach at noon",
            "a quiet forest under a purple sunset sky",
        ),
    ),
)
