import re
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image

from engine.metadata import (
    ImageFormat,
    ImageRecipe,
    ModelFacts,
    VideoManifest,
    encode_image,
    image_recipe,
    parameters_text,
    read_recipe,
)
from engine.requests import TEXT_MAX, ImageTask
from tests.pictures import draw_picture, psnr

FORMATS: list[ImageFormat] = ["png", "webp", "jpeg"]
TEXTS = [
    "a cat",
    'quotes " and \\ and, commas: here; <b>&amp;</b> {json}',
    "two\nlines\n",
    "héros, 猫と竜, \U0001f409\u200d\U0001f525, \u202ertl",
    "(weighted:1.2), [alternating|words], <lora:x:1>",
    "\x01 control",
]


def make_recipe(**changes: Any) -> ImageRecipe:
    fields: dict[str, Any] = {
        "prompt": "a cat", "negative_prompt": "", "num_inference_steps": 25,
        "guidance_scale": 7.5, "seed": 42, "width": 64, "height": 72, "drawn_width": 64,
        "drawn_height": 72, "model": "segmind/tiny-sd", "revision": "abc", "device": "cpu",
        "dtype": "float32", "scheduler": "DPM++ 2M (epsilon)",
    }  # fmt: skip
    return ImageRecipe.model_validate({**fields, **changes})


def encode(image_format: ImageFormat, recipe: ImageRecipe) -> Image.Image:
    return Image.open(BytesIO(encode_image(draw_picture(64, 72), image_format, recipe)))


def read_webui(text: str) -> dict[str, str]:
    """Parse `parameters` the way the widespread web interfaces do."""
    *lines, last = text.strip().split("\n")
    found = re.findall(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)', last)
    texts: dict[str, list[str]] = {"Prompt": [], "Negative prompt": []}
    into = "Prompt"
    for line in lines:
        if line.startswith("Negative prompt: "):
            into, line = "Negative prompt", line.removeprefix("Negative prompt: ")
        texts[into].append(line)
    return {name: "\n".join(lines) for name, lines in texts.items()} | dict(found)


def test_parameters_read_as_the_web_interfaces_write_them() -> None:
    recipe = make_recipe(prompt="a cat,\non a mat", negative_prompt="blurry, dark")
    assert read_webui(parameters_text(recipe)) == {
        "Prompt": "a cat,\non a mat", "Negative prompt": "blurry, dark", "Steps": "25",
        "Sampler": "DPM++ 2M", "CFG scale": "7.5", "Seed": "42", "Size": "64x72",
        "Model": "segmind/tiny-sd",
    }  # fmt: skip


def test_parameters_without_a_negative_prompt_have_no_line_for_it() -> None:
    assert "Negative" not in parameters_text(make_recipe())


def test_parameters_tell_the_drawn_size_only_where_it_differs() -> None:
    assert "Drawn at" not in parameters_text(make_recipe())
    assert read_webui(parameters_text(make_recipe(drawn_width=128)))["Drawn at"] == "128x72"


def test_a_model_name_with_commas_is_quoted() -> None:
    found = read_webui(parameters_text(make_recipe(model="mine, old: v2")))
    assert found["Model"] == '"mine, old: v2"'


@pytest.mark.parametrize("image_format", FORMATS)
@pytest.mark.parametrize("text", TEXTS)
def test_the_recipe_comes_back_from_the_file(image_format: ImageFormat, text: str) -> None:
    recipe = make_recipe(prompt=text, negative_prompt=text)
    assert read_recipe(encode(image_format, recipe)) == recipe


@pytest.mark.parametrize("image_format", FORMATS)
@pytest.mark.parametrize("letter", ["x", "é", "猫", "\U0001f409"])
def test_the_longest_prompts_fit_every_format(image_format: ImageFormat, letter: str) -> None:
    recipe = make_recipe(prompt=letter * TEXT_MAX, negative_prompt=letter * TEXT_MAX)
    assert read_recipe(encode(image_format, recipe)) == recipe


@pytest.mark.parametrize("text", TEXTS)
def test_a_png_has_the_parameters_in_a_text_chunk(text: str) -> None:
    recipe = make_recipe(prompt=text)
    assert encode("png", recipe).info["parameters"] == parameters_text(recipe)


@pytest.mark.parametrize("image_format", ["webp", "jpeg"])
@pytest.mark.parametrize("text", TEXTS)
def test_other_formats_have_the_parameters_in_the_user_comment(
    image_format: ImageFormat, text: str
) -> None:
    recipe = make_recipe(prompt=text)
    details = encode(image_format, recipe).getexif().get_ifd(ExifTags.IFD.Exif)
    comment = details[ExifTags.Base.UserComment]
    assert comment[:8] == b"UNICODE\0"  # what piexif.helper.UserComment.load expects
    assert comment[8:].decode("utf-16-be") == parameters_text(recipe)


def test_png_keeps_every_pixel() -> None:
    assert np.array_equal(np.asarray(encode("png", make_recipe())), draw_picture(64, 72))


@pytest.mark.parametrize("image_format", ["webp", "jpeg"])
def test_lossy_formats_look_the_same(image_format: ImageFormat) -> None:
    pixels = draw_picture(256, 256)
    decoded = Image.open(BytesIO(encode_image(pixels, image_format, make_recipe())))
    luma = np.asarray(Image.fromarray(pixels).convert("L"))
    assert psnr(np.asarray(decoded.convert("L")), luma) > 36


@pytest.mark.parametrize("image_format", FORMATS)
def test_the_same_picture_gives_the_same_bytes(image_format: ImageFormat) -> None:
    pixels = draw_picture(64, 72)
    first, second = (encode_image(pixels, image_format, make_recipe()) for _ in range(2))
    assert first == second


def test_a_picture_without_a_recipe_has_none() -> None:
    assert read_recipe(Image.new("RGB", (8, 8))) is None


@pytest.mark.parametrize("image_format", ["JPEG", "WEBP"])
def test_a_photograph_with_other_words_in_it_has_no_recipe(image_format: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "OLYMPUS DIGITAL CAMERA"
    buffer = BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, image_format, exif=exif, comment=b"hello \xff")
    assert read_recipe(Image.open(buffer)) is None


def test_a_recipe_tells_what_was_asked_and_what_was_done() -> None:
    task = ImageTask("p", "n", 20, None, 7, 64, 72)
    facts = ModelFacts(
        name="m", revision="r", reason="why", device="cpu", dtype="float32", scheduler="s",
        guidance_scale=3.0, native_size=64,
    )  # fmt: skip
    recipe = image_recipe(task, facts, 3.0, (128, 136))
    assert (recipe.prompt, recipe.negative_prompt, recipe.seed) == ("p", "n", 7)
    assert (recipe.num_inference_steps, recipe.guidance_scale) == (20, 3.0)
    assert (recipe.width, recipe.height) == (64, 72)
    assert (recipe.drawn_width, recipe.drawn_height) == (128, 136)
    assert (recipe.model, recipe.revision, recipe.device) == ("m", "r", "cpu")
    assert (recipe.dtype, recipe.scheduler) == ("float32", "s")


def test_without_another_decoder_a_recipe_is_written_as_it_was_before_there_were_any() -> None:
    recipe = make_recipe()
    assert recipe.model_dump_json() == (
        '{"prompt":"a cat","negative_prompt":"","num_inference_steps":25,"guidance_scale":7.5,'
        '"seed":42,"width":64,"height":72,"drawn_width":64,"drawn_height":72,'
        '"model":"segmind/tiny-sd","revision":"abc","device":"cpu","dtype":"float32",'
        '"scheduler":"DPM++ 2M (epsilon)"}'
    )
    assert "Decoder" not in parameters_text(recipe)


@pytest.mark.parametrize("image_format", FORMATS)
def test_a_recipe_tells_of_another_decoder(image_format: ImageFormat) -> None:
    recipe = make_recipe(decoder="somebody/taesd", decoder_revision="def")
    assert recipe != make_recipe()
    assert read_webui(parameters_text(recipe))["Decoder"] == "somebody/taesd"
    assert read_recipe(encode(image_format, recipe)) == recipe


def test_a_manifest_comes_back_from_its_json() -> None:
    manifest = VideoManifest(
        fps=24, frames_per_scene=72, scene_frames=(72, 72), transition="crossfade",
        transition_frames=12, motion="none", captions="none", total_frames=156, duration_s=6.5,
        width=64, height=64, hero_description="a \U0001f409", scenes=(make_recipe(),) * 2,
        draw_s=(1.5, 2.0),
    )  # fmt: skip
    assert "decoder" not in manifest.model_dump_json()
    assert VideoManifest.model_validate_json(manifest.model_dump_json()) == manifest
