"""What a picture and a video say of how they were made, so that anyone can make them again.

Pictures carry the recipe twice: as the `parameters` text that the widespread web interfaces for
Stable Diffusion read and write, and as JSON with everything. Videos carry a JSON manifest in the
comment tag.
"""

import json
import zlib
from io import BytesIO
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, PngImagePlugin
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.requests import ImageTask

JSON_KEY = "storyreel"
SAMPLER = "DPM++ 2M"
"""What our own loop draws with, by the name it has in the web interfaces."""
ImageFormat = Literal["png", "webp", "jpeg"]
MEDIA_TYPES: dict[ImageFormat, str] = {
    "png": "image/png",
    "webp": "image/webp",
    "jpeg": "image/jpeg",
}


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, protected_namespaces=())


def _is_unset(value: object) -> bool:
    return value is None


class ModelFacts(_Record):
    """The model that is loaded, and where and how it computes."""

    name: str
    revision: str
    reason: str
    device: str
    dtype: str
    scheduler: str
    guidance_scale: float
    """The model's own best value, used when a request leaves it open."""
    native_size: int
    """Side in pixels of the pictures it was trained on."""
    description: str = ""
    decoder: str | None = None
    """What decodes instead of the model's own decoder; None: nothing does."""
    decoder_revision: str | None = None


class ImageRecipe(_Record):
    """Everything needed to make one picture again; sizes in pixels, times in seconds."""

    prompt: str
    negative_prompt: str
    num_inference_steps: int
    guidance_scale: float
    seed: int
    width: int
    height: int
    drawn_width: int
    drawn_height: int
    """The size the model drew at; resampled to width and height where they differ."""
    model: str
    revision: str
    device: str
    dtype: str
    scheduler: str
    # Unset they are not written: pictures from before there was a choice are known by their bytes.
    decoder: str | None = Field(None, exclude_if=_is_unset)
    decoder_revision: str | None = Field(None, exclude_if=_is_unset)


class VideoManifest(_Record):
    """Everything needed to make a story video again."""

    fps: int
    frames_per_scene: int
    scene_frames: tuple[int, ...]
    transition: str
    transition_frames: int
    motion: str
    captions: str
    total_frames: int
    duration_s: float
    width: int
    height: int
    hero_description: str | None
    scenes: tuple[ImageRecipe, ...]
    draw_s: tuple[float, ...]
    """Seconds to denoise and decode each scene. A picture's own recipe tells no times: the same
    seed gives the same bytes."""


def image_recipe(
    task: ImageTask, facts: ModelFacts, guidance_scale: float, drawn: tuple[int, int]
) -> ImageRecipe:
    """Put a recipe together from what was asked and what was done."""
    return ImageRecipe(
        prompt=task.prompt,
        negative_prompt=task.negative_prompt,
        num_inference_steps=task.num_inference_steps,
        guidance_scale=guidance_scale,
        seed=task.seed,
        width=task.width,
        height=task.height,
        drawn_width=drawn[0],
        drawn_height=drawn[1],
        model=facts.name,
        revision=facts.revision,
        device=facts.device,
        dtype=facts.dtype,
        scheduler=facts.scheduler,
        decoder=facts.decoder,
        decoder_revision=facts.decoder_revision,
    )


def parameters_text(recipe: ImageRecipe) -> str:
    """Write a recipe in the web interfaces' `parameters` form."""
    lines = [recipe.prompt]
    if recipe.negative_prompt:
        lines.append(f"Negative prompt: {recipe.negative_prompt}")
    facts = {
        "Steps": recipe.num_inference_steps,
        "Sampler": SAMPLER if recipe.scheduler.startswith(SAMPLER) else recipe.scheduler,
        "CFG scale": f"{recipe.guidance_scale:g}",
        "Seed": recipe.seed,
        "Size": f"{recipe.width}x{recipe.height}",
        "Model": _quoted(recipe.model),
    }
    if (recipe.drawn_width, recipe.drawn_height) != (recipe.width, recipe.height):
        facts["Drawn at"] = f"{recipe.drawn_width}x{recipe.drawn_height}"
    if recipe.decoder is not None:
        facts["Decoder"] = _quoted(recipe.decoder)
    lines.append(", ".join(f"{name}: {value}" for name, value in facts.items()))
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """Quote a value as those interfaces do where it would end too early."""
    return json.dumps(text, ensure_ascii=False) if set(text) & set(",:\n") else text


def encode_image(
    pixels: NDArray[np.uint8], image_format: ImageFormat, recipe: ImageRecipe
) -> bytes:
    """Encode RGB pixels (height, width, 3) to a file's bytes, with the recipe inside."""
    image = Image.fromarray(pixels)
    buffer = BytesIO()
    text, data = parameters_text(recipe), recipe.model_dump_json()
    if image_format == "png":
        chunks = PngImagePlugin.PngInfo()
        for key, value in (("parameters", text), (JSON_KEY, data)):
            chunks.add_itxt(key, value) if not value.isascii() else chunks.add_text(key, value)
        # Only runs are looked for: a third of the time, and about as small, as rows are filtered.
        image.save(buffer, "PNG", pnginfo=chunks, compress_type=zlib.Z_RLE)
        return buffer.getvalue()
    exif = Image.Exif()
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.UserComment] = b"UNICODE\0" + text.encode("utf-16-be")
    if image_format == "webp":
        exif[ExifTags.Base.ImageDescription] = json.dumps(json.loads(data))  # ASCII, as EXIF asks
        image.save(buffer, "WEBP", quality=92, method=4, exif=exif)
    else:
        # A segment of its own: one segment takes 64 KB, and two long prompts can fill EXIF's.
        comment = data.encode()
        image.save(buffer, "JPEG", quality=95, subsampling=0, exif=exif, comment=comment)
    return buffer.getvalue()


def read_recipe(image: Image.Image) -> ImageRecipe | None:
    """Read back the recipe that `encode_image` wrote; None if the picture has none."""
    data = (
        image.info.get(JSON_KEY)
        or image.info.get("comment")
        or image.getexif().get(ExifTags.Base.ImageDescription, "")
    )
    try:
        return ImageRecipe.model_validate_json(data)
    except ValidationError:  # somebody else's comment
        return None
