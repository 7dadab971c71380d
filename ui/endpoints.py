"""What scripts call through `gradio_client`: four named endpoints beside the page.

Their parameters are the request models' fields, so names, types and defaults stand once. A
client that goes away, or calls `job.cancel()`, closes the generator here, and that cancels the
engine's job within one step.
"""

import asyncio
import inspect
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NotRequired, TypedDict, TypeVar, get_type_hints

import gradio as gr
from pydantic import BaseModel, ValidationError

from engine import Engine, EngineError, ImageRequest, ImageResult, Request, VideoPlan, VideoRequest
from ui.messages import explain_error, explain_invalid
from ui.visitors import submit

R = TypeVar("R", ImageRequest, VideoRequest)
_FOLLOW_S = 0.25
_RETURN_BASE64 = inspect.Parameter(
    "return_base64", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=False, annotation=bool
)


class ImageMade(TypedDict):
    """How a picture was made."""

    seed: int
    guidance_scale: float
    format: str
    parameters: str
    image_base64: NotRequired[str]


class VideoMade(TypedDict):
    """What a finished story video is."""

    scenes: int
    duration: float
    fps: int
    total_frames: int
    seed: int
    guidance_scale: float


class Health(TypedDict):
    """Whether the service can make pictures now."""

    status: str
    model_loaded: bool
    device: str
    model: str | None
    model_state: str
    detail: str


_IMAGE = """Draw one picture from a prompt. Answers the picture's file (downloaded for you, its \
recipe inside) and how it was made: seed, guidance_scale, format, parameters. Only `prompt` is \
needed. num_inference_steps 10-50; width and height 64-2048 in multiples of 8; format png, webp \
or jpeg; return_base64 puts the picture into the second answer as well; guidance_scale null: \
the model's own best value; seed null: drawn, and told. \
`job.outputs()` holds the progress while it runs; `job.cancel()` stops the work within one step."""
_VIDEO = """Turn 2 to 50 scenes with one hero into a story video. Answers the MP4 file \
(downloaded for you) and what it is: scenes, duration in seconds, fps, total_frames, seed, \
guidance_scale. Only `scenes` is needed. duration_per_scene up to 60 s, fps 1-60, \
transition_frames 0-240 (between two scenes); transition crossfade, cut, fade_through_black, \
wipe, slide or dissolve; motion none, zoom_in, zoom_out, pan_right or pan_left; captions none, \
burned or subtitles. `hero_description` is set before every \
scene, so that the hero stays the same. `job.cancel()` stops the work within one step."""
_INFO = """Tell what a story video would be, without making it: frames, seconds, the estimated \
time to make it (queue included), and the prompt of every scene."""
_HEALTH = """Tell whether the service can make pictures now, with which model, on which device."""


def add_endpoints(engine: Engine) -> None:
    """Register the endpoints; call inside a Blocks context."""
    endpoints: list[tuple[Callable[..., Any], str]] = [
        (_generate_image(engine), _IMAGE),
        (_generate_video(engine), _VIDEO),
        (_video_info(engine), _INFO),
        (_health(engine), _HEALTH),
    ]
    for endpoint, description in endpoints:
        gr.api(
            endpoint,
            api_name=endpoint.__name__,
            api_description=description,
            concurrency_limit=None,
        )


def _generate_image(engine: Engine) -> Callable[..., Any]:
    @_takes(ImageRequest, _RETURN_BASE64, returns=tuple[gr.FileData, ImageMade])
    async def generate_image(*values: Any) -> AsyncIterator[tuple[Any, Any]]:
        *fields, return_base64 = values
        async for file, made in _make(engine, _build(ImageRequest, tuple(fields))):
            if return_base64 and file is not None:
                made["image_base64"] = b64encode(Path(file["path"]).read_bytes()).decode()
            yield file, made

    return generate_image


def _generate_video(engine: Engine) -> Callable[..., Any]:
    @_takes(VideoRequest, returns=tuple[gr.FileData, VideoMade])
    async def generate_video(*values: Any) -> AsyncIterator[tuple[Any, Any]]:
        async for made in _make(engine, _build(VideoRequest, values)):
            yield made

    return generate_video


def _video_info(engine: Engine) -> Callable[..., Any]:
    @_takes(VideoRequest, returns=VideoPlan)
    async def video_info(*values: Any) -> dict[str, Any]:
        plan = await asyncio.to_thread(engine.plan, _build(VideoRequest, values))
        return plan.model_dump()

    return video_info


def _health(engine: Engine) -> Callable[..., Any]:
    async def health() -> Health:
        status = engine.status()
        detail = "" if status.problem is None else " ".join(explain_error(status.problem))
        return Health(
            status="healthy",
            model_loaded=status.model_state == "ready",
            device=status.device,
            model=status.facts.name if status.facts else None,
            model_state=status.model_state,
            detail=detail,
        )

    return health


def _takes(
    request_type: type[BaseModel], *more: inspect.Parameter, returns: Any
) -> Callable[..., Any]:
    """Give a function the parameters of a request model, which Gradio reads from its signature."""
    hints = get_type_hints(request_type)
    parameters = [
        inspect.Parameter(
            name,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=inspect.Parameter.empty if field.is_required() else field.default,
            annotation=hints[name],
        )
        for name, field in request_type.model_fields.items()
    ] + list(more)

    def dress(fn: Any) -> Any:
        fn.__signature__ = inspect.Signature(parameters, return_annotation=returns)
        fn.__annotations__ = {**{p.name: p.annotation for p in parameters}, "return": returns}
        return fn

    return dress


def _build(request_type: type[R], values: tuple[Any, ...]) -> R:
    names = request_type.model_fields
    try:
        return request_type(**dict(zip(names, values, strict=True)))
    except ValidationError as err:
        raise gr.Error("\n".join(explain_invalid(err)), print_exception=False) from err


async def _make(engine: Engine, request: Request) -> AsyncIterator[tuple[Any, Any]]:
    """Follow one job to its end; cancel it if whoever listens has gone."""
    job = None
    try:
        job = await submit(engine, request, attended=True)
        async for snapshot in job.follow(_FOLLOW_S):
            if not snapshot.state.is_terminal:
                progress = snapshot.progress
                yield None, {"state": snapshot.state.value, **vars(progress)}
        yield _answer(engine.result(job), request)
    except EngineError as err:
        raise gr.Error(" ".join(explain_error(err)), print_exception=False) from err
    finally:
        if job is not None:
            job.cancel()  # nothing once the job has ended


def _answer(result: Any, request: Request) -> tuple[Any, Any]:
    file = gr.FileData(path=str(result.path), mime_type=result.media_type).model_dump()
    if isinstance(result, ImageResult):
        assert isinstance(request, ImageRequest)
        return file, ImageMade(
            seed=result.seed,
            guidance_scale=result.guidance_scale,
            format=request.format,
            parameters=result.parameters,
        )
    return file, VideoMade(
        scenes=result.scenes,
        duration=result.duration_s,
        fps=result.fps,
        total_frames=result.total_frames,
        seed=result.seed,
        guidance_scale=result.guidance_scale,
    )
