"""The reference design as a service of its own: routes that call a plain pipeline under a lock.

Run as `python -m benchmarks.reference FOLDER --port PORT`; the folder holds the weights.
"""

import argparse
import os
import tempfile
import threading
from io import BytesIO
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Response
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from benchmarks.peers import Peer, plain, tell_story
from engine import ImageRequest, VideoRequest


def build_reference(peer: Peer) -> FastAPI:
    """The documented routes around one pipeline."""
    app = FastAPI()
    lock = threading.Lock()

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "healthy", "device": peer.model.device.type}

    @app.post("/generate")
    def generate(body: ImageRequest) -> Response:
        with lock:
            image = peer.draw(body)
        data = BytesIO()
        image.save(data, "PNG")
        return Response(data.getvalue(), media_type="image/png")

    @app.post("/generate-video")
    def generate_video(body: VideoRequest) -> FileResponse:
        handle, name = tempfile.mkstemp(suffix=".mp4")
        os.close(handle)
        path = Path(name)
        with lock:
            tell_story(peer, body, path)
        return FileResponse(path, media_type="video/mp4", background=BackgroundTask(path.unlink))

    return app


def main() -> None:
    """Load the weights and serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int)
    parser.add_argument("--data-dir", type=Path, help="not used: it keeps nothing")
    told = parser.parse_args()
    app = build_reference(plain(told.folder))
    uvicorn.run(app, port=told.port, log_config=None, access_log=False)


if __name__ == "__main__":
    main()
