"""The documented routes: what the service is, an image, a story video, its plan, its health."""

import asyncio
import base64
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse

from api.answers import (
    Base64Image,
    BriefHealth,
    GenerateBody,
    Health,
    Ready,
    ServiceInfo,
    health_of,
)
from api.body_limits import BARE_BYTES, PICTURE_BYTES, STORY_BYTES
from api.errors import documented
from api.negotiation import prefers_html
from api.openapi import binary, header
from api.submission import ACCEPTED_LATER, IdempotencyKey, Prefer, accepted, submit
from engine import Engine, ImageRequest, ImageResult, Job, VideoPlan, VideoRequest, VideoResult
from engine.errors import ModelUnavailable

_FOLLOW_S = 0.05
_FAILURES = (400, 409, 422, 500, 503, 504, 507)
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


_IMAGE_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "model": Base64Image,
        "description": "The picture as a file, its recipe inside; or JSON with return_base64.",
        "content": binary("image/png", "image/webp", "image/jpeg"),
        "headers": {
            "X-Seed": header("integer", "The seed it was drawn with."),
            "X-Guidance-Scale": header("number", "The guidance it was drawn with."),
        },
    },
    **ACCEPTED_LATER,
    **documented(*_FAILURES),
}
_VIDEO_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The video: MP4, H.264, its manifest in the comment tag.",
        "content": binary("video/mp4"),
        "headers": {
            "X-Video-Scenes": header("integer", "Number of scenes."),
            "X-Video-Duration": header("number", "Length in seconds."),
            "X-Video-FPS": header("integer", "Frames per second."),
            "X-Seed": header("integer", "Seed of the first scene; scene k, from 0, has it + k."),
            "X-Guidance-Scale": header("number", "The guidance it was drawn with."),
        },
    },
    **ACCEPTED_LATER,
    **documented(*_FAILURES),
}


def build_router(engine: Engine) -> APIRouter:
    """The documented routes of one engine."""
    router = APIRouter(max_body_size=BARE_BYTES)
    _add_generation(router, engine)
    _add_status(router, engine)
    return router


def _add_generation(router: APIRouter, engine: Engine) -> None:
    @router.post(
        "/generate",
        tags=["generate"],
        summary="Generate an image",
        max_body_size=PICTURE_BYTES,
        response_class=FileResponse,
        responses=_IMAGE_RESPONSES,
    )
    async def generate(
        request: Request,
        body: Annotated[GenerateBody, Body(openapi_examples=_IMAGE_EXAMPLES)],
        idempotency_key: IdempotencyKey = None,
        prefer: Prefer = None,
    ) -> Response:
        """One picture from one prompt, as a file or as base64 in JSON."""
        call = _Call(request, idempotency_key, prefer)
        job = await call.submit(engine, body.image_request())
        if call.respond_async:
            return accepted(job, request, preferred=True)
        await call.until_done(job)
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
        max_body_size=STORY_BYTES,
        response_class=FileResponse,
        responses=_VIDEO_RESPONSES,
    )
    async def generate_video(
        request: Request,
        body: Annotated[VideoRequest, Body(openapi_examples=_STORY_EXAMPLES)],
        idempotency_key: IdempotencyKey = None,
        prefer: Prefer = None,
    ) -> Response:
        """One picture a scene, the hero the same in each, crossfaded into a video."""
        call = _Call(request, idempotency_key, prefer)
        job = await call.submit(engine, body)
        if call.respond_async:
            return accepted(job, request, preferred=True)
        await call.until_done(job)
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
        max_body_size=STORY_BYTES,
        responses=documented(400, 422),
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
        responses={307: {"description": "A browser is sent to the page at /ui/."}, **documented()},
    )
    async def root(request: Request) -> Response:
        """What is loaded and where; a browser is sent to the page."""
        headers = {"Vary": "Accept"}
        if prefers_html(request.headers.get("accept", "")):
            return RedirectResponse("ui/", 307, headers)
        status = engine.status()
        info = ServiceInfo(device=status.device, model=status.facts and status.facts.name)
        return JSONResponse(info.model_dump(), 200, headers)

    @router.get(
        "/health", tags=["service"], summary="Health of the process", responses=documented()
    )
    async def health(request: Request) -> Health | BriefHealth:
        """How the service is, whatever the device is doing; briefly to who shows no key."""
        whole = health_of(engine)
        return whole if request.state.known else BriefHealth(**whole.model_dump())

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


@dataclass(frozen=True)
class _Call:
    """A synchronous call that waits for its work, or takes it up later.

    Without a key, a client that goes cancels its work. With one it may come back and repeat the
    call, so the work goes on.
    """

    request: Request
    idempotency_key: str | None
    prefer: str | None

    @property
    def respond_async(self) -> bool:
        """Whether the client would rather be told of a job at once (RFC 7240)."""
        wishes = (self.prefer or "").split(",")
        return any(wish.split(";")[0].strip().lower() == "respond-async" for wish in wishes)

    @property
    def attended(self) -> bool:
        return self.idempotency_key is None and not self.respond_async

    async def submit(self, engine: Engine, request: ImageRequest | VideoRequest) -> Job:
        """Submit on a thread: the journal is synced to the disk before a job is told of."""
        terms = {"attended": self.attended, "idempotency_key": self.idempotency_key}
        return await asyncio.to_thread(submit, engine, self.request, request, **terms)

    async def until_done(self, job: Job) -> None:
        """Wait for the end of a job."""
        try:
            async for snapshot in job.follow(_FOLLOW_S):
                if not snapshot.state.is_terminal and await self.request.is_disconnected():
                    break
        finally:
            if self.attended:
                job.cancel()  # without effect on a job that has ended
