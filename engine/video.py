"""Frames into an MP4: H.264 through the ffmpeg that imageio-ffmpeg brings.

Frames stream through a pipe as I420, so memory does not depend on the length of the video, and a
still is converted once however long it is held.
"""

import errno
import os
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import imageio_ffmpeg
import numpy as np

from engine.errors import EncoderFailed
from engine.frames import Frame

_PRESET = "veryfast"
_CRF = "16"
# ITU-R BT.709, limited range: rows give Y, Cb and Cr from RGB in 0..255.
_KR, _KB = 0.2126, 0.0722
_KG = 1.0 - _KR - _KB
_LUMA = np.array([_KR, _KG, _KB], np.float32) * (219 / 255)
_CB = np.array([-_KR, -_KG, 1 - _KB], np.float32) * (112 / 255 / (1 - _KB))
_CR = np.array([1 - _KR, -_KG, -_KB], np.float32) * (112 / 255 / (1 - _KR))


@dataclass(frozen=True)
class VideoFormat:
    """What the encoder must know before the first frame. Width and height in pixels, even."""

    width: int
    height: int
    fps: int
    comment: str
    """Text for the file's comment tag."""


def to_i420(rgb: Frame) -> Frame:
    """Convert RGB (height, width, 3) to I420 planes (height × 3/2, width), BT.709 limited range.

    Chroma is sited at the left, as H.264 players assume.
    """
    height, width, _ = rgb.shape
    pixels = rgb.astype(np.float32)
    planes = np.empty((height * 3 // 2, width), np.uint8)
    planes[:height] = np.rint(pixels @ _LUMA + 16)
    rows = pixels[0::2] + pixels[1::2]
    left = np.concatenate([rows[:, :1], rows[:, 1:-1:2]], axis=1)
    small = (left + 2 * rows[:, 0::2] + rows[:, 1::2]) / 8
    chroma = planes[height:].reshape(2, height // 2, width // 2)
    chroma[0] = np.rint(small @ _CB + 128)
    chroma[1] = np.rint(small @ _CR + 128)
    return planes


def luma(planes: Frame) -> Frame:
    """The Y plane (height, width) of I420 planes."""
    return planes[: planes.shape[0] * 2 // 3]


def write_mp4(path: Path, frames: Iterable[Frame], video: VideoFormat) -> None:
    """Encode I420 frames to `path`; if `frames` raises, the encoder is ended and so is this.

    Raises:
        EncoderFailed: ffmpeg ended early or with an error; the message has its last words.
        OSError: with the system's own reason, such as a full disk.
    """
    with tempfile.TemporaryFile() as log, tempfile.TemporaryDirectory() as folder:
        tags = Path(folder) / "tags.txt"
        tags.write_bytes(_ffmetadata(video.comment).encode())
        encoder = subprocess.Popen(
            _command(path, video, tags),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for us; we end the encoder ourselves
        )
        try:
            _feed(encoder, frames)
        finally:
            if encoder.poll() is None:
                encoder.kill()
            encoder.wait()
        if encoder.returncode != 0:
            raise _failure(encoder.returncode, log, path)


def count_frames(path: Path) -> int:
    """Count the frames of a video without decoding them; 0 if it cannot be read."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-i", str(path)]
    command += ["-map", "0:v", "-c", "copy", "-progress", "pipe:1", "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, check=False).stdout
    counts = [line.partition(b"=")[2] for line in said.splitlines() if line.startswith(b"frame=")]
    return int(counts[-1]) if counts else 0


def _feed(encoder: subprocess.Popen[bytes], frames: Iterable[Frame]) -> None:
    assert encoder.stdin is not None
    try:
        with encoder.stdin as pipe:
            for frame in frames:
                pipe.write(np.ascontiguousarray(frame).data)
    except BrokenPipeError:
        pass  # The encoder is gone; its exit status and last words tell why.
    encoder.wait()


def _command(path: Path, video: VideoFormat, tags: Path) -> list[str]:
    color = ["-color_range", "tv", "-colorspace", "bt709"]
    color += ["-color_primaries", "bt709", "-color_trc", "bt709"]
    return [
        imageio_ffmpeg.get_ffmpeg_exe(),
        *("-nostdin", "-hide_banner", "-v", "error", "-y"),
        *("-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{video.width}x{video.height}"),
        *("-r", str(video.fps), *color, "-i", "pipe:0"),
        *("-f", "ffmetadata", "-i", str(tags), "-map", "0:v", "-map_metadata", "1"),
        *("-c:v", "libx264", "-preset", _PRESET, "-crf", _CRF, "-pix_fmt", "yuv420p", *color),
        *("-movflags", "+faststart", "-f", "mp4", str(path)),
    ]


def _ffmetadata(comment: str) -> str:
    escaped = "".join("\\" + char if char in "=;#\\\n" else char for char in comment)
    return f";FFMETADATA1\ncomment={escaped}\n"


def _failure(status: int, log: IO[bytes], path: Path) -> Exception:
    log.seek(0)
    last_words = log.read().decode(errors="replace").replace(str(path), path.name)
    last_words = last_words.strip()[-500:]
    for number in (errno.ENOSPC, errno.EDQUOT):
        if os.strerror(number) in last_words:
            return OSError(number, os.strerror(number))
    return EncoderFailed(f"ffmpeg ended with status {status}: {last_words or 'no message'}")
