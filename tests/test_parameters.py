"""Pictures as they come: ours in three formats, other interfaces', damaged and hostile ones."""

import random
import struct
import time
import tracemalloc
import zlib
from io import BytesIO
from typing import Any

import pytest
from PIL import ExifTags, Image, PngImagePlugin

from engine import ImageRequest
from engine.metadata import ImageFormat, ImageRecipe, encode_image
from engine.parameters import parse_parameters, read_settings
from engine.picture_texts import TEXT_BYTES_MAX, read_texts
from tests.pictures import draw_picture
from tests.test_metadata import FORMATS, TEXTS, make_recipe

WEBUI = """a lighthouse, (stormy sea:1.2),
oil on canvas
Negative prompt: blurry, text
and people
Steps: 20, Sampler: Euler a, Schedule type: Karras, CFG scale: 7, Seed: 1234567890, \
Size: 512x768, Model hash: 6ce0161689, Model: v1-5-pruned, \
Lora hashes: "a: 1, b: 2", Version: v1.9"""


def made(image_format: ImageFormat = "png", **recipe: Any) -> bytes:
    return encode_image(draw_picture(64, 72), image_format, make_recipe(**recipe))


def png(**texts: str) -> bytes:
    chunks = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        chunks.add_text(key, text) if text.isascii() else chunks.add_itxt(key, text)
    buffer = BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG", pnginfo=chunks)
    return buffer.getvalue()


def without_pixels(data: bytes) -> bytes:
    """What the browser sends of a PNG: every chunk but the pixels."""
    kept, at = data[:8], 8
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        kept += b"" if kind == b"IDAT" else data[at : at + length + 12]
        at += length + 12
    return kept


@pytest.mark.parametrize("image_format", FORMATS)
@pytest.mark.parametrize("text", TEXTS)
def test_our_own_pictures_give_back_what_was_asked(image_format: ImageFormat, text: str) -> None:
    data = made(image_format, prompt=text, negative_prompt="rain", width=640, height=384)
    found = read_settings(data)
    assert found is not None and found.refused is None and found.unused == ()
    assert found.request == ImageRequest(
        prompt=text, negative_prompt="rain", num_inference_steps=25, guidance_scale=7.5, seed=42,
        width=640, height=384, format=image_format,
    )  # fmt: skip
    assert found.model == "segmind/tiny-sd"


def test_a_file_without_its_pixels_says_as_much() -> None:
    data = made(prompt="a fox")
    assert len(without_pixels(data)) < len(data)
    assert read_settings(without_pixels(data)) == read_settings(data)


def test_the_longest_recipe_fits() -> None:
    longest = "\U0001f409" * 4000
    for image_format in FORMATS:
        found = read_settings(made(image_format, prompt=longest, negative_prompt=longest[:1000]))
        assert found is not None and found.request.prompt == longest


def test_the_text_of_other_web_interfaces() -> None:
    found = read_settings(png(parameters=WEBUI))
    assert found is not None and found.refused is None
    assert found.request == ImageRequest(
        prompt="a lighthouse, (stormy sea:1.2),\noil on canvas",
        negative_prompt="blurry, text\nand people",
        num_inference_steps=20, guidance_scale=7.0, seed=1234567890, width=512, height=768,
    )  # fmt: skip
    assert found.unused == ("Sampler", "Schedule type", "Model hash", "Lora hashes", "Version")
    assert found.model == "v1-5-pruned"


@pytest.mark.parametrize("image_format", ["webp", "jpeg"])
def test_their_other_formats_keep_it_in_the_user_comment(image_format: ImageFormat) -> None:
    exif = Image.Exif()
    comment = b"UNICODE\0" + WEBUI.encode("utf-16-be")
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = comment
    buffer = BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, image_format, exif=exif)
    found = read_settings(buffer.getvalue())
    assert found is not None
    assert (found.request.seed, found.request.format) == (1234567890, image_format)


def test_our_text_alone_is_read_without_a_complaint() -> None:
    texts = read_texts(made(prompt="a fox", drawn_width=128, decoder="somebody/taesd"))
    assert texts is not None
    found = parse_parameters(texts.parameters)
    assert found is not None and (found.refused, found.unused) == (None, ())
    assert (found.request.prompt, found.request.seed) == ("a fox", 42)


def refused_fields(text: str) -> tuple[set[str], ImageRequest]:
    found = parse_parameters(text)
    assert found is not None and found.refused is not None
    return {str(fault["loc"][0]) for fault in found.refused.errors()}, found.request


@pytest.mark.parametrize(
    ("facts", "fields"),
    [
        ("Steps: 60, Seed: 7, Size: 64x64", {"num_inference_steps"}),
        ("Steps: 20, Seed: -1, Size: 64x64", {"seed"}),
        ("Steps: 20, Seed: 99999999999, CFG scale: 0.5", {"seed", "guidance_scale"}),
        ("Steps: 20, Seed: 7, CFG scale: nan", {"guidance_scale"}),
        ("Steps: many, Seed: 7, CFG scale: 5", {"num_inference_steps"}),
        (f"Steps: {'9' * 3000}, Seed: 7, CFG scale: 5", {"num_inference_steps"}),
        ("Steps: 20, Seed: 7, Size: 64", {"height"}),
    ],
)
def test_what_is_not_allowed_is_left_out_and_told(facts: str, fields: set[str]) -> None:
    told, request = refused_fields(f"a fox\n{facts}")
    assert told == fields
    assert request.prompt == "a fox"
    for field in fields:
        assert getattr(request, field) == ImageRequest.model_fields[field].default


def test_of_a_size_both_sides_are_left_out_or_none() -> None:
    told, request = refused_fields("a fox\nSteps: 20, Seed: 7, Size: 500x768")
    assert told == {"width"}
    assert (request.width, request.height, request.seed) == (512, 512, 7)


def test_a_picture_without_a_prompt_gives_the_rest() -> None:
    told, request = refused_fields("Steps: 20, Seed: 7, Size: 64x128")
    assert told == {"prompt"}
    assert (request.prompt, request.height) == ("", 128)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"GIF89a",
        png(),
        png(parameters="a holiday photograph"),
        png(parameters="a" * 30_000 + "\nSteps: 20, Seed: 7, Size: 64x64"),
        png(prompt='{"3": {"class_type": "KSampler"}}'),
    ],
)
def test_who_says_nothing_of_settings_has_none(data: bytes) -> None:
    assert read_settings(data) is None


@pytest.mark.parametrize("image_format", FORMATS)
def test_damage_is_never_an_error(image_format: ImageFormat) -> None:
    whole, chance = made(image_format), random.Random(5)
    for cut in range(0, len(whole), max(1, len(whole) // 200)):
        read_settings(whole[:cut])
    for _ in range(500):
        spoilt = bytearray(whole)
        for _ in range(chance.randrange(1, 20)):
            spoilt[chance.randrange(min(len(spoilt), 1500))] = chance.randrange(256)
        read_settings(bytes(spoilt))


def test_a_text_that_unpacks_to_gigabytes_is_cut() -> None:
    packed = zlib.compress(bytes(50 * 2**20))
    body = b"parameters\0\0" + packed
    chunk = struct.pack(">I4s", len(body), b"zTXt") + body + bytes(4)
    texts = read_texts(b"\x89PNG\r\n\x1a\n" + chunk)
    assert texts is not None and len(texts.parameters) <= TEXT_BYTES_MAX


@pytest.mark.parametrize("filler", ["a", " ", '"', 'a: "\\"', "a:", "a b", "-: ", "\\"])
def test_hostile_texts_take_no_time(filler: str) -> None:
    text = f"a fox\n{filler * (20_000 // len(filler) - 10)}"
    start = time.process_time()
    parse_parameters(text)
    assert time.process_time() - start < 1.0


def test_a_hostile_exif_block_is_not_copied_tag_by_tag() -> None:
    tags = b"".join(struct.pack("<HHII", tag, 2, 2**31, 8) for tag in range(0x0100, 0x9000))
    tiff = b"II*\0" + struct.pack("<IH", 8, 0x8F00) + tags
    webp = b"RIFF\0\0\0\0WEBPEXIF" + struct.pack("<I", len(tiff)) + tiff
    texts = read_texts(webp)
    assert texts is not None and len(texts.recipe) <= TEXT_BYTES_MAX


def test_every_drawn_setting_of_a_recipe_is_loaded() -> None:
    drawn = set(ImageRequest.model_fields) - {"format"}
    assert drawn <= set(ImageRecipe.model_fields)


def test_a_file_of_many_bombs_is_inflated_once() -> None:
    bomb = zlib.compress(bytes(50 * 2**20), 9)
    chunks = [(b"zTXt", b"key%d\0\0" % number + bomb) for number in range(40)]
    chunks += [(b"zTXt", b"parameters\0\0" + bomb)] * 40
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I4s", len(body), kind) + body + bytes(4) for kind, body in chunks
    )
    tracemalloc.start()
    found = read_texts(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found is not None and found.parameters
    assert peak < 8 * TEXT_BYTES_MAX + 2 * len(bomb)
