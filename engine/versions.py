"""Another version of a story that was made: what its request is. Pure.

Every seed is named in it, so that scenes which did not change are known again by their recipe.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from engine.errors import InvalidRequest
from engine.requests import ImageRequest, Request, VideoRequest
from engine.story import seeds_of


def redrawn(
    request: VideoRequest, seed: int, number: int, *, text: str | None, new_seed: int | None
) -> VideoRequest:
    """The story with one scene drawn anew.

    Args:
        seed: what the story was drawn with.
        number: the scene, from 1.
        text: what happens in it now; None: as before.
        new_seed: what it is drawn with now; None: as before.

    Raises:
        InvalidRequest: there is no such scene, or the text cannot be drawn.
    """
    if not 1 <= number <= len(request.scenes):
        raise InvalidRequest(
            f"The story has no scene {number}.", advice=f"Take one of 1 to {len(request.scenes)}."
        )
    scenes, seeds = list(request.scenes), seeds_of(request, seed)
    if new_seed is not None:
        seeds[number - 1] = new_seed
    if text is not None:
        scenes[number - 1] = text
    return _changed(request, scenes=scenes, scene_seeds=seeds)


def assembled(
    request: VideoRequest, seed: int, *, order: Sequence[int] | None = None, **changes: Any
) -> VideoRequest:
    """The story with the same pictures and other times; or in another order.

    Args:
        order: numbers of scenes, from 1; a scene may be left out or come twice.
        changes: of fps, transition_frames, transition, motion, captions, scene_durations and
            duration_per_scene; the latter is then the duration of every scene.

    Raises:
        InvalidRequest: the order names no such scene, or the video would pass a limit.
    """
    count = len(request.scenes)
    places = range(1, count + 1) if order is None else order
    if any(not 1 <= place <= count for place in places):
        raise InvalidRequest(
            "The order names a scene that is not there.", advice=f"Scenes count from 1 to {count}."
        )
    seeds, durations = seeds_of(request, seed), request.scene_durations
    if durations is not None:
        durations = [durations[place - 1] for place in places]
    if "duration_per_scene" in changes:
        durations = None
    return _changed(
        request,
        scenes=[request.scenes[place - 1] for place in places],
        scene_seeds=[seeds[place - 1] for place in places],
        **{"scene_durations": durations, **changes},
    )


def replayed(request: Request, seed: int, guidance_scale: float) -> Request:
    """The request that gives the same again, nothing in it left open."""
    if isinstance(request, ImageRequest):
        return request.model_copy(update={"seed": seed, "guidance_scale": guidance_scale})
    seeds = seeds_of(request, seed)
    return _changed(request, scene_seeds=seeds, guidance_scale=guidance_scale)


def _changed(request: VideoRequest, **changes: Any) -> VideoRequest:
    try:
        return VideoRequest(**{**request.model_dump(exclude={"seed"}), **changes})
    except ValidationError as err:
        problem = err.errors()[0]["msg"].removeprefix("Value error, ")
        raise InvalidRequest(f"This version cannot be made: {problem}.") from err
