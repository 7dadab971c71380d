"""Storyreel's engine: prompts into pictures, scenes into story videos. Knows no web framework."""

from engine.engine import Engine
from engine.errors import EngineError
from engine.jobs import Job
from engine.records import KeptScene
from engine.requests import ImageRequest, Request, VideoRequest
from engine.settings import Settings
from engine.snapshots import ImageResult, JobSnapshot, JobState, Preview, Progress, VideoResult
from engine.status import Download, EngineStatus
from engine.story import VideoPlan

__all__ = [
    "Download",
    "Engine",
    "EngineError",
    "EngineStatus",
    "ImageRequest",
    "ImageResult",
    "Job",
    "JobSnapshot",
    "JobState",
    "KeptScene",
    "Preview",
    "Progress",
    "Request",
    "Settings",
    "VideoPlan",
    "VideoRequest",
    "VideoResult",
]
