"""Frames into an MP4: H.264 through the ffmpeg that imageio-ffmpeg brings.

Frames stream through a pipe as I420, so memory does not depend on the length of the video, and a
still is converted once however long it is held.
"""

import errno
import os
import struct
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import imageio_ffmpeg
import numpy as np

from engine.errors import EncoderFailed
from engine.planes import Frame

_PRESET = "veryfast"
_CRF = "16"
_X264_PARAMS = "bframes=8:me=dia:subme=1"
"""Holds are long and fades have no motion to look for: a fifth less time, a quarter smaller files;
where the camera moves a tenth larger ones. Measured on the documented story, as it is and with
zooms, which keep 47 dB of luma or more."""
_TAGS, _SUBTITLES = "tags.txt", "subtitles.srt"


@dataclass(frozen=True)
class VideoFormat:
    """What the encoder must know before the first frame. Width and height in pixels, even."""

    width: int
    height: int
    fps: int
    comment: str
    """Text for the file's comment tag."""
    subtitles: str = ""
    """A subtitle track in SRT form; none if empty."""


def write_mp4(path: Path, frames: Iterable[Frame], video: VideoFormat) -> None:
    """Encode I420 frames to `path`; if `frames` raises, the encoder is ended and so is this.

    Raises:
        EncoderFailed: ffmpeg ended early or with an error; the message has its last words.
        OSError: with the system's own reason, such as a full disk.
    """
    with tempfile.TemporaryFile() as log, tempfile.TemporaryDirectory() as folder:
        (Path(folder) / _TAGS).write_bytes(_ffmetadata(video.comment).encode())
        (Path(folder) / _SUBTITLES).write_bytes(video.subtitles.encode())
        encoder = subprocess.Popen(
            _command(path, video, Path(folder)),
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
    """Count the frames that a video's index names; 0 if the file is cut short or is no MP4."""
    try:
        with path.open("rb") as file:
            _, index = _index(file)
            cut_short = file.seek(0, os.SEEK_END) < sum(size for _, _, size in _outer_boxes(file))
    except OSError:
        return 0
    for track in [] if cut_short else _inner(index, b"moov", b"trak", b"mdia"):
        kinds, sizes = _inner(track, b"hdlr"), _inner(track, b"minf", b"stbl", b"stsz")
        if kinds and sizes and kinds[0][8:12] == b"vide":
            return int.from_bytes(sizes[0][8:12])
    return 0


def replace_comment(path: Path, old: str, new: str) -> None:
    """Put another comment in the place of one, in the file itself; spaces make up the length.

    Raises:
        EncoderFailed: the file does not have that comment, or not the room for the other one.
    """
    was, now = old.encode(), new.encode()
    with path.open("r+b") as file:
        at, index = _index(file)
        found = index.find(was)
        if found < 0 or len(now) > len(was):
            raise EncoderFailed("The video has no place for its comment.")
        file.seek(at + found)
        file.write(now.ljust(len(was)))


def _index(file: IO[bytes]) -> tuple[int, bytes]:
    """The box with everything but the frames, and where it begins; nothing if there is none."""
    for name, at, size in _outer_boxes(file):
        if name == b"moov":
            file.seek(at)
            return at, file.read(min(size, os.fstat(file.fileno()).st_size))
    return 0, b""


def _outer_boxes(file: IO[bytes]) -> Iterator[tuple[bytes, int, int]]:
    """Name, place and length of each part of an MP4, as they say of themselves (ISO 14496-12)."""
    at, end = 0, file.seek(0, os.SEEK_END)
    while at < end:
        file.seek(at)
        header = file.read(16).ljust(16, b"\0")
        size, name, long_size = struct.unpack(">I4sQ", header)
        size = {0: end - at, 1: long_size}.get(size, size)
        yield name, at, size
        at += max(size, 8)


def _inner(data: bytes, *path: bytes) -> list[bytes]:
    """What is in the boxes that a path of names leads to."""
    if not path:
        return [data]
    found, at = [], 0
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        if name == path[0]:
            found += _inner(data[at + 8 : at + size], *path[1:])
        at += max(size, 8)
    return found


def _feed(encoder: subprocess.Popen[bytes], frames: Iterable[Frame]) -> None:
    assert encoder.stdin is not None
    try:
        with encoder.stdin as pipe:
            for frame in frames:
                pipe.write(np.ascontiguousarray(frame).data)
    except BrokenPipeError:
        pass  # The encoder is gone; its exit status and last words tell why.
    encoder.wait()


def _command(path: Path, video: VideoFormat, folder: Path) -> list[str]:
    color = ["-color_range", "tv", "-colorspace", "bt709"]
    color += ["-color_primaries", "bt709", "-color_trc", "bt709"]
    subtitles, mapped = list[str](), list[str]()
    if video.subtitles:
        subtitles = ["-f", "srt", "-i", str(folder / _SUBTITLES)]
        mapped = ["-map", "2:s", "-c:s", "mov_text"]
    return [
        imageio_ffmpeg.get_ffmpeg_exe(),
        *("-nostdin", "-hide_banner", "-v", "error", "-y"),
        *("-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{video.width}x{video.height}"),
        *("-r", str(video.fps), *color, "-i", "pipe:0"),
        *("-f", "ffmetadata", "-i", str(folder / _TAGS), *subtitles),
        *("-map", "0:v", *mapped, "-map_metadata", "1"),
        *("-c:v", "libx264", "-preset", _PRESET, "-crf", _CRF, "-x264-params", _X264_PARAMS),
        *("-pix_fmt", "yuv420p", *color),
        *("-movflags", "+faststart", "-f", "mp4", str(path)),
    ]


def _ffmetadata(comment: str) -> str:
    escaped = "".join("\\" + char if char in "=;#\\\n" else char for char in comment)
    return f";FFMETADATA1\ncomment={escaped}\n"


def _failure(status: int, log: IO[bytes], path: Path) -> Exception:
    log.seek(0)
    last_words = log.read().decode(errors="replace").replace(str(path), path.name)
    last_words = last_words.strip()[-500:]
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
        if os.strerror(number) in last_words:
            return OSError(number, os.strerror(number), str(path))
    return EncoderFailed(f"ffmpeg ended with status {status}: {last_words or 'no message'}")
