"""Both sides must have made the same thing: these raise where one did not."""

import tempfile
from io import BytesIO
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from PIL import Image

from engine import ImageRequest, VideoRequest
from engine.video import count_frames


class NotTheSame(Exception):
    """What was made is not what was asked for; its time means nothing."""


def check_picture(made: bytes | Image.Image, request: ImageRequest) -> None:
    """Check the size, and that it is not flat, as a picture of NaN is."""
    image = Image.open(BytesIO(made)) if isinstance(made, bytes) else made
    if image.size != (request.width, request.height):
        raise NotTheSame(f"a picture of {image.size}")
    if int(np.ptp(np.asarray(image.convert("RGB")))) == 0:
        raise NotTheSame("a picture of one colour")


def check_video(made: bytes | Path, request: VideoRequest) -> None:
    """Check the number of frames, the size, the rate, and that the first frame is not flat."""
    if isinstance(made, bytes):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "made.mp4"
            path.write_bytes(made)
            return check_video(path, request)
    frames = count_frames(made)
    if frames != request.total_frames:
        raise NotTheSame(f"a video of {frames} frames, not {request.total_frames}")
    reader = imageio_ffmpeg.read_frames(str(made))
    facts = next(reader)
    if facts["size"] != (request.width, request.height) or facts["fps"] != request.fps:
        raise NotTheSame(f"a video of {facts['size']} at {facts['fps']} frames a second")
    if int(np.ptp(np.frombuffer(next(reader), np.uint8))) == 0:
        raise NotTheSame("a video that begins with one colour")
    reader.close()
