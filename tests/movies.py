"""Looking into MP4 files, independent of the code under test."""

import struct
import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()


def ffmpeg(*arguments: str, stdin: bytes = b"") -> bytes:
    command = [FFMPEG, "-v", "error", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout


def describe(path: Path) -> str:
    """What ffmpeg says of a file."""
    return subprocess.run([FFMPEG, "-i", str(path)], capture_output=True).stderr.decode()


def decode_planes(path: Path, width: int, height: int) -> list[NDArray[np.uint8]]:
    raw = ffmpeg("-i", str(path), "-fps_mode", "passthrough", "-f", "rawvideo",
                 "-pix_fmt", "yuv420p", "-")  # fmt: skip
    frames = np.frombuffer(raw, np.uint8).reshape(-1, height * 3 // 2, width)
    return list(frames)


def read_comment(path: Path) -> str:
    """Read the comment tag from the file's own boxes, independent of ffmpeg."""
    data = path.read_bytes()
    at = data.index(b"\xa9cmt") + 4
    size, kind = struct.unpack(">I4s", data[at : at + 8])
    assert kind == b"data"
    return data[at + 16 : at + size].decode()


def boxes(path: Path) -> list[str]:
    data, at, names = path.read_bytes(), 0, []
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        names.append(data[at + 4 : at + 8].decode())
        at += size
    return names
