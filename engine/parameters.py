"""The settings a picture was made with, as far as this service can draw with them too.

Read from the recipe that Storyreel writes, or from the `parameters` text of the widespread web
interfaces. Nothing is corrected: what is not allowed here is left out, and told.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from engine.metadata import SAMPLER, ImageFormat, ImageRecipe
from engine.picture_texts import PictureTexts, read_texts
from engine.requests import ImageRequest

_TEXT_MAX = 20_000
_FACTS_MAX = 4_000
_UNUSED_MAX = 12
_FEWEST_FACTS = 3
_FACT = re.compile(r'\s*+(\w[\w \-/]{0,40}):\s*+("(?:\\.|[^\\"])++"|[^,]*+)(?:,|$)')
_NEGATIVE = "Negative prompt:"
_INFORMATIVE = frozenset({"Model", "Drawn at", "Decoder"})
"""What our own text tells of besides: no setting is missed when these are not used."""


@dataclass(frozen=True)
class FoundSettings:
    """What could be read from a picture."""

    request: ImageRequest
    """Has its defaults where the picture says nothing or nothing allowed; then the prompt, which
    has none, is empty."""
    refused: ValidationError | None = None
    """Why some values are left out."""
    unused: tuple[str, ...] = ()
    """Names of settings that have no like here."""
    model: str = ""
    """What drew the picture, if it says so."""


def read_settings(data: bytes) -> FoundSettings | None:
    """Read the settings from a picture's file, which may lack its pixels; None if it has none."""
    texts = read_texts(data)
    if texts is None:
        return None
    return _from_recipe(texts) or parse_parameters(texts.parameters, texts.format)


def _from_recipe(texts: PictureTexts) -> FoundSettings | None:
    try:
        recipe = ImageRecipe.model_validate_json(texts.recipe)
    except ValidationError:  # somebody else's comment, or none
        return None
    wanted = recipe.model_dump(include=set(ImageRequest.model_fields))
    return _checked({**wanted, "format": texts.format}, model=recipe.model)


def parse_parameters(text: str, image_format: ImageFormat = "png") -> FoundSettings | None:
    """Read the web interfaces' `parameters` text; None if it is none.

    Lines of prompt, then lines from `Negative prompt:` on, then one line of `Name: value` pairs.
    """
    text = text.strip()
    above, _, last = text.rpartition("\n")
    facts = dict(_FACT.findall(last[:_FACTS_MAX]))
    if len(text) > _TEXT_MAX or len(facts) < _FEWEST_FACTS:
        return None
    prompt, negative_prompt = _split_prompts(above)
    wanted: dict[str, Any] = {
        "prompt": prompt,
        "negative_prompt": negative_prompt,
        "format": image_format,
    }
    unused = []
    for name, value in facts.items():
        if name in _READERS:
            wanted.update(_READERS[name](value))
        elif name not in _INFORMATIVE and (name, value.strip()) != ("Sampler", SAMPLER):
            unused.append(name.strip())
    model = facts.get("Model", "").strip().strip('"')
    return _checked(wanted, unused=tuple(unused[:_UNUSED_MAX]), model=model)


def _split_prompts(text: str) -> tuple[str, str]:
    prompt, _, negative_prompt = f"\n{text}".partition(f"\n{_NEGATIVE}")
    return prompt.strip(), negative_prompt.strip()


def _number(name: str, kind: Callable[[str], float]) -> Callable[[str], dict[str, Any]]:
    def read(value: str) -> dict[str, Any]:
        try:
            return {name: kind(value)}
        except ValueError:
            return {name: value}  # the request says what is wrong with it

    return read


def _size(value: str) -> dict[str, Any]:
    width, _, height = value.partition("x")
    return {**_number("width", int)(width), **_number("height", int)(height)}


_READERS: dict[str, Callable[[str], dict[str, Any]]] = {
    "Steps": _number("num_inference_steps", int),
    "CFG scale": _number("guidance_scale", float),
    "Seed": _number("seed", int),
    "Size": _size,
}


def _checked(
    wanted: dict[str, Any], *, unused: tuple[str, ...] = (), model: str = ""
) -> FoundSettings:
    """Keep what a request allows; of a size both sides or none."""
    try:
        return FoundSettings(ImageRequest(**wanted), None, unused, model)
    except ValidationError as err:
        refused = err
    bad = {fault["loc"][0] for fault in refused.errors()}
    if bad & {"width", "height"}:
        bad |= {"width", "height"}
    kept = {name: value for name, value in wanted.items() if name not in bad}
    request = ImageRequest.model_construct(**{"prompt": "", **kept})
    return FoundSettings(request, refused, unused, model)
