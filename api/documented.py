"""The documented routes: what the service is, an image, a story video, its plan, its health."""

import asyncio
import base64
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse

from api.answers import Base64Image, GenerateBody, Health, Ready, ServiceInfo, health_of
from api.errors import documented
from api.security import MAX_JSON_BYTES
from engine import Engine, ImageResult, Job, VideoPlan, VideoRequest, VideoResult
from engine.errors import ModelUnavailable

_FOLLOW_S = 0.05
_FAILURES = (400, 409, 413, 422, 500, 503, 504, 507)
_IMAGE_EXAMPLES: dict[str, Any] = {
    "a picture": {"value": {"prompt": "A lighthouse on a cliff at sunset"}},
    "base64 in JSON": {"value": {"prompt": "A cute robot", "return_base64": True}},
    "everything": {
        "value": {
            "prompt": "A fox in the snow",
            "num_inference_steps": 30,
            "negative_prompt": "blurry",
            "guidance_scale": 5.0,
            "seed": 42,
            "width": 768,
            "height": 512,
            "format": "webp",
            "return_base64": False,
        }
    },
}
_STORY_EXAMPLES: dict[str, Any] = {
    "a story": {
        "value": {
            "hero_description": "a girl with red hair wearing a yellow coat",
            "scenes": [
                "walking through a forest",
                "standing on a beach at sunset",
                "sitting in a café",
            ],
        }
    },
    "without a hero": {"value": {"scenes": ["A sunrise over mountains", "A city street at noon"]}},
    "everything": {
        "value": {
            "hero_description": "a knight in silver armour",
            "scenes": ["at a castle gate", "in a cave with crystals"],
            "num_inference_steps": 30,
            "duration_per_scene": 2.5,
            "fps": 30,
            "width": 768,
            "height": 512,
            "transition_frames": 15,
            "negative_prompt": "blurry",
            "guidance_scale": 5.0,
            "seed": 42,
        }
    },
}


def _binary(*media_types: str) -> dict[str, Any]:
    schema = {"type": "string", "format": "binary"}
    return {media_type: {"schema": schema} for media_type in media_types}


def _header(kind: str, description: str) -> dict[str, Any]:
    return {"schema": {"type": kind}, "description": description}


_IMAGE_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "model": Base64Image,
        "description": "The picture as a file, its recipe inside; or JSON with return_base64.",
        "content": _binary("image/png", "image/webp", "image/jpeg"),
        "headers": {
            "X-Seed": _header("integer", "The seed it was drawn with."),
            "X-Guidance-Scale": _header("number", "The guidance it was drawn with."),
        },
    },
    **documented(*_FAILURES),
}
_VIDEO_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The video: MP4, H.264, its manifest in the comment tag.",
        "content": _binary("video/mp4"),
        "headers": {
            "X-Video-Scenes": _header("integer", "Number of scenes."),
            "X-Video-Duration": _header("number", "Length in seconds."),
            "X-Video-FPS": _header("integer", "Frames per second."),
            "X-Seed": _header("integer", "Seed of the first scene; scene k, from 0, has it + k."),
            "X-Guidance-Scale": _header("number", "The guidance it was drawn with."),
        },
    },
    **documented(*_FAILURES),
}


def build_router(engine: Engine) -> APIRouter:
    """The documented routes of one engine."""
    router = APIRouter(max_body_size=MAX_JSON_BYTES)
    _add_generation(router, engine)
    _add_status(router, engine)
    return router


def _add_generation(router: APIRouter, engine: Engine) -> None:
    @router.post(
        "/generate",
        tags=["generate"],
        summary="Generate an image",
        response_class=FileResponse,
        responses=_IMAGE_RESPONSES,
    )
    async def generate(
        request: Request, body: Annotated[GenerateBody, Body(openapi_examples=_IMAGE_EXAMPLES)]
    ) -> Response:
        """One picture from one prompt, as a file or as base64 in JSON."""
        job = engine.submit(body.image_request())
        await _until_done(job, request)
        result = engine.result(job)
        assert isinstance(result, ImageResult)
        headers = _told(result)
        if not body.return_base64:
            name = f"image.{body.format}"
            return FileResponse(result.path, 200, headers, result.media_type, filename=name)
        data = await asyncio.to_thread(result.path.read_bytes)
        answer = Base64Image(
            prompt=body.prompt,
            steps=body.num_inference_steps,
            image_base64=base64.b64encode(data).decode(),
            format=body.format,
            seed=result.seed,
            guidance_scale=result.guidance_scale,
        )
        return JSONResponse(answer.model_dump(), 200, headers)

    @router.post(
        "/generate-video",
        tags=["generate"],
        summary="Generate a story video",
        response_class=FileResponse,
        responses=_VIDEO_RESPONSES,
    )
    async def generate_video(
        request: Request, body: Annotated[VideoRequest, Body(openapi_examples=_STORY_EXAMPLES)]
    ) -> Response:
        """One picture a scene, the hero the same in each, crossfaded into a video."""
        job = engine.submit(body)
        await _until_done(job, request)
        result = engine.result(job)
        assert isinstance(result, VideoResult)
        headers = {
            "X-Video-Scenes": str(result.scenes),
            "X-Video-Duration": str(round(result.duration_s, 3)),
            "X-Video-FPS": str(result.fps),
            **_told(result),
        }
        return FileResponse(result.path, 200, headers, result.media_type, filename="video.mp4")

    @router.post(
        "/generate-video/info",
        tags=["generate"],
        summary="Plan a story video",
        responses=documented(400, 413, 422),
    )
    def video_info(  # on a thread: counting the tokens of fifty long scenes takes a while
        body: Annotated[VideoRequest, Body(openapi_examples=_STORY_EXAMPLES)],
    ) -> VideoPlan:
        """What a story video would be and how long it would take; nothing is generated."""
        return engine.plan(body)


def _add_status(router: APIRouter, engine: Engine) -> None:
    @router.get(
        "/",
        tags=["service"],
        summary="What this service is",
        response_model=ServiceInfo,
        responses={307: {"description": "A browser is sent to the page at /ui/."}},
    )
    async def root(request: Request) -> Response:
        """What is loaded and where; a browser is sent to the page."""
        headers = {"Vary": "Accept"}
        if prefers_html(request.headers.get("accept", "")):
            return RedirectResponse("ui/", 307, headers)
        status = engine.status()
        info = ServiceInfo(device=status.device, model=status.facts and status.facts.name)
        return JSONResponse(info.model_dump(), 200, headers)

    @router.get("/health", tags=["service"], summary="Health of the process")
    async def health() -> Health:
        """How the service is, whatever the device is doing."""
        return health_of(engine)

    @router.get(
        "/health/ready",
        tags=["service"],
        summary="Whether pictures can be made now",
        responses=documented(503),
    )
    async def ready() -> Ready:
        """200 once the model is loaded, 503 before."""
        status = engine.status()
        if status.problem is not None:
            raise status.problem.with_traceback(None)
        if status.facts is None:
            raise ModelUnavailable("The model is still loading.", advice="Ask again in a moment.")
        return Ready()


def _told(result: ImageResult | VideoResult) -> dict[str, str]:
    """The headers that say what the request had left open."""
    return {"X-Seed": str(result.seed), "X-Guidance-Scale": f"{result.guidance_scale:g}"}


async def _until_done(job: Job, request: Request) -> None:
    """Wait for the end of a job; a client that has gone cancels it."""
    try:
        async for snapshot in job.follow(_FOLLOW_S):
            if not snapshot.state.is_terminal and await request.is_disconnected():
                break
    finally:
        job.cancel()  # without effect on a job that has ended


def prefers_html(accept: str) -> bool:
    """Tell whether an Accept header ranks HTML above JSON, as browsers do."""
    ranks = {"text/html": 0.0, "application/json": 0.0}
    for entry in accept.split(","):
        media_type, *parameters = (part.strip() for part in entry.split(";"))
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name == "q":
                quality = float(value) if value.replace(".", "", 1).isdigit() else 0.0
        for known in ranks:
            if media_type in (known, known.split("/")[0] + "/*", "*/*"):
                ranks[known] = max(ranks[known], quality)
    return ranks["text/html"] > ranks["application/json"]
