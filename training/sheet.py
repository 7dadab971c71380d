"""Stage 6: a contact sheet of the exported model, each picture over its prompt."""

from __future__ import annotations

import textwrap
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from PIL import Image, ImageDraw

STEPS = 25
COLUMNS = 8
CAPTION_HEIGHT = 58
PROMPTS: tuple[str, ...] = (
    "a young woman with long red hair, green eyes, wearing a blue jacket, "
    "standing on a mountain peak at sunrise",
    "a young woman with long red hair, green eyes, wearing a blue jacket, "
    "walking through a busy city street at noon",
    "a young woman with long red hair, green eyes, wearing a blue jacket, "
    "sitting on a beach at sunset",
    "a brave knight in silver armor with a red cloak, standing in front of a castle gate",
    "a brave knight in silver armor with a red cloak, fighting a dragon in a cave",
    "a brave knight in silver armor with a red cloak, celebrating victory in a village square",
    "a cyberpunk hacker with neon blue mohawk, wearing VR goggles and leather jacket, "
    "running through rainy neon-lit streets",
    "a cyberpunk hacker with neon blue mohawk, wearing VR goggles and leather jacket, "
    "overlooking the city from a rooftop at night",
    "a young adventurer with brown messy hair, wearing a green tunic and brown boots, "
    "standing at the entrance of a dark cave, holding a torch",
    "a young adventurer with brown messy hair, wearing a green tunic and brown boots, "
    "discovering an ancient treasure chest",
    "a young adventurer with brown messy hair, wearing a green tunic and brown boots, "
    "running away from a giant spider",
    "an elderly wizard with long white beard, purple robes, holding a wooden staff, in a forest",
    "a muscular man with short black hair, wearing a red superhero cape and blue suit, "
    "on a rooftop at sunset",
    "a young girl with blonde pigtails, wearing overalls and a yellow t-shirt, in a park",
    "A cute robot playing guitar",
    "an astronaut in a white space suit walking in the desert at night",
    "A red sports car",
    "A beautiful sunset over the ocean with dolphins jumping",
    "A magical forest with glowing mushrooms",
    "A cyberpunk city at night with neon lights",
    "A purple sunset sky",
    "A peaceful sunrise over mountains with mist",
    "a dragon in the snow at noon",
    "a panda on a beach at sunset",
    "a fox in the desert at night",
    "a sailboat on the ocean at sunrise",
    "a unicorn in a meadow at noon",
    "a penguin in a neon city at night",
    "a steam train in a village at sunset",
    "a teddy bear in a room at night",
    "a cat on a rooftop at sunrise",
    "a castle at night",
)


def write_sheet(model: Path, folder: Path, guidance_scale: float) -> None:
    """Generate PROMPTS, seed k for picture k, into contact-sheet.png and prompts.txt."""
    pipeline = StableDiffusionPipeline.from_pretrained(model, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    pictures = [
        pipeline(
            prompt,
            num_inference_steps=STEPS,
            guidance_scale=guidance_scale,
            generator=torch.Generator().manual_seed(seed),
        ).images[0]
        for seed, prompt in enumerate(PROMPTS)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    sheet = _lay_out(pictures).quantize(200)
    sheet.save(folder / "contact-sheet.png", optimize=True)
    (folder / "prompts.txt").write_text("\n".join(PROMPTS) + "\n")


def _lay_out(pictures: list[Image.Image]) -> Image.Image:
    size = pictures[0].width
    rows = -(-len(pictures) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * size, rows * (size + CAPTION_HEIGHT)), (255, 255, 255))
    draw = ImageDraw.Draw(sheet)
    for index, (picture, prompt) in enumerate(zip(pictures, PROMPTS, strict=True)):
        x, y = index % COLUMNS * size, index // COLUMNS * (size + CAPTION_HEIGHT)
        sheet.paste(picture, (x, y))
        lines = "\n".join(textwrap.wrap(prompt, max(8, size // 6))[:4])
        draw.multiline_text(
            (x + 4, y + size + 2), lines, fill=(40, 40, 48), font_size=11, spacing=2
        )
    return sheet
