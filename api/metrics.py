"""What the service counts and measures, in the form that Prometheus reads."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator

from fastapi import APIRouter, FastAPI
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.body_limits import BARE_BYTES
from api.errors import documented
from api.openapi import as_json
from engine import Engine, Job

_SECONDS = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)


class JobMeter:
    """Counts jobs that end, and how long they spent in each stage. Thread-safe."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._ended = Counter(
            "storyreel_jobs", "Jobs that have ended.", ("kind", "state", "code"), registry=registry
        )
        self._stages = Histogram(
            "storyreel_job_stage_seconds",
            "Seconds a job spent in a stage, all its pictures together.",
            ("kind", "stage"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._lock = threading.Lock()
        self._at: dict[str, tuple[str, float]] = {}
        self._spent: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))

    def hear(self, job: Job) -> None:
        """Take note of a change of a job."""
        snapshot, now = job.snapshot(), time.monotonic()
        with self._lock:
            stage, since = self._at.pop(job.id, ("waiting", now - self._age(job)))
            self._spent[job.id][stage] += now - since
            if not snapshot.state.is_terminal:
                self._at[job.id] = (snapshot.progress.stage, now)
                return
            spent = self._spent.pop(job.id)
        code = "" if job.error is None else job.error.code
        self._ended.labels(snapshot.kind, snapshot.state.value, code).inc()
        for name, seconds in spent.items():
            self._stages.labels(snapshot.kind, name).observe(seconds)

    @staticmethod
    def _age(job: Job) -> float:
        return max(0.0, time.time() - job.snapshot().created_at)


class EngineGauges(Collector):
    """What the engine is doing at the moment of asking."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read the engine's status."""
        status = self._engine.status()
        ready = float(status.model_state == "ready")
        yield GaugeMetricFamily("storyreel_model_ready", "1 once the model is loaded.", ready)
        yield GaugeMetricFamily(
            "storyreel_queue_pictures", "Pictures that wait to be drawn.", status.waiting_tasks
        )
        yield GaugeMetricFamily("storyreel_running", "1 while a job runs.", float(status.running))
        units = GaugeMetricFamily(
            "storyreel_unit_seconds", "Median seconds of one unit of work.", labels=("unit",)
        )
        for unit, seconds in status.measured_s.items():
            units.add_metric((unit,), seconds)
        yield units
        step_s = status.measured_s.get("step", 0.0)
        rate = 1 / step_s if step_s else 0.0
        yield GaugeMetricFamily(
            "storyreel_steps_per_second",
            "Denoising steps a second, while drawing; pictures drawn together share each.",
            rate,
        )
        if status.device_memory_bytes is not None:
            yield GaugeMetricFamily(
                "storyreel_device_memory_bytes",
                "Memory held on the device.",
                status.device_memory_bytes,
            )


class RequestMeter:
    """Counts answered requests by route; an ASGI middleware."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        self._requests = Counter(
            "storyreel_requests",
            "Requests that were answered.",
            ("method", "route", "status"),
            registry=registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_and_count(message: Message) -> None:
            if message["type"] == "http.response.start":
                method = scope["method"] if scope["method"] in _METHODS else "other"
                self._requests.labels(method, _route(scope), str(message["status"])).inc()
            await send(message)

        await self._app(scope, receive, send_and_count)


_METHODS = {"GET", "HEAD", "POST", "DELETE", "OPTIONS"}


def _route(scope: Scope) -> str:
    """The template of the route, never the path itself: that would grow without end."""
    if scope["path"].startswith("/ui"):
        return "/ui"
    return getattr(scope.get("route"), "path", "other")


def add_metrics(app: FastAPI, engine: Engine) -> None:
    """Measure an app and its engine, and answer GET /metrics; the last middleware to be added."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(EngineGauges(engine))
    engine.listen(JobMeter(registry).hear)
    app.add_middleware(RequestMeter, registry=registry)
    router = APIRouter(tags=["service"], max_body_size=BARE_BYTES)

    @router.get(
        "/metrics",
        summary="Measurements",
        response_class=PlainTextResponse,
        responses={200: {"content": {"text/plain": {}}}, **as_json(documented(500))},
    )
    def metrics() -> PlainTextResponse:
        """Counts and times for Prometheus."""
        text = generate_latest(registry).decode()
        return PlainTextResponse(text, media_type=CONTENT_TYPE_LATEST)

    app.include_router(router)
