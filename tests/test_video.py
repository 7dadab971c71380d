import errno
import json
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from engine.captions import subtitles
from engine.errors import EncoderFailed, StorageFull
from engine.planes import Frame, luma, to_i420
from engine.store import Store
from engine.transitions import crossfade
from engine.video import VideoFormat, count_frames, replace_comment, write_mp4
from tests.movies import boxes, decode_planes, describe, ffmpeg, read_comment
from tests.pictures import draw_picture, psnr
from tests.shots import tell


def grey_frames(count: int, width: int = 64, height: int = 64) -> Iterator[Frame]:
    for index in range(count):
        yield to_i420(np.full((height, width, 3), index % 256, np.uint8))


def write(path: Path, count: int = 3, fps: int = 24, comment: str = "") -> Path:
    write_mp4(path, grey_frames(count), VideoFormat(64, 64, fps, comment))
    return path


def test_the_documented_story_has_240_frames_at_24_fps(tmp_path: Path) -> None:
    stills = (to_i420(draw_picture(64, 64, seed)) for seed in range(3))
    path = tmp_path / "v.mp4"
    write_mp4(path, tell(stills, 72, 12), VideoFormat(64, 64, 24, ""))
    assert len(decode_planes(path, 64, 64)) == 240
    said = describe(path)
    assert "24 fps" in said and "Duration: 00:00:10.00" in said


@pytest.mark.parametrize(("fps", "frames"), [(1, 2), (7, 5), (25, 1), (30, 31), (60, 9)])
def test_frames_and_rate_are_exact(tmp_path: Path, fps: int, frames: int) -> None:
    path = write(tmp_path / "v.mp4", frames, fps)
    assert len(decode_planes(path, 64, 64)) == frames
    assert f" {fps} fps" in describe(path)


def test_every_frame_keeps_its_place(tmp_path: Path) -> None:
    planes = decode_planes(write(tmp_path / "v.mp4", 200), 64, 64)
    levels = [float(luma(frame).mean()) for frame in planes]
    assert np.abs(np.diff(levels) - 219 / 255).max() < 1.2
    assert levels[0] == pytest.approx(16, abs=1)


def test_it_is_h264_high_in_bt709_limited_range(tmp_path: Path) -> None:
    said = describe(write(tmp_path / "v.mp4"))
    assert "Video: h264 (High)" in said
    assert "yuv420p(tv, bt709" in said and "bt709/" not in said
    assert "Audio" not in said


def test_the_index_stands_before_the_frames(tmp_path: Path) -> None:
    names = boxes(write(tmp_path / "v.mp4"))
    assert names.index("moov") < names.index("mdat")


@pytest.mark.parametrize(
    ("width", "height"), [(64, 64), (72, 64), (64, 200), (120, 88), (512, 72), (2048, 64)]
)
def test_the_size_is_exactly_the_asked_one(tmp_path: Path, width: int, height: int) -> None:
    path = tmp_path / "v.mp4"
    write_mp4(path, grey_frames(2, width, height), VideoFormat(width, height, 24, ""))
    assert f", {width}x{height}" in describe(path)


COMMENTS = [
    "",
    "plain",
    "two\nlines\n\nand a blank one",
    "= ; # \\ [section]\n;not a comment\n#nor this\nkey=value\\",
    "\\\\=\\;",
    "tab\tand\rreturn\r\n",
    "héros 猫 🐈‍⬛ \U0001f468‍\U0001f469‍\U0001f467",
    "x" * 200_000,
    "\U0001f409=;#\\\n" * 20_000,
    "'\"`$(rm -rf /)%s%n",
]


@pytest.mark.parametrize("text", COMMENTS, ids=range(len(COMMENTS)))
def test_the_comment_comes_back_from_json_unchanged(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "v.mp4", comment=json.dumps({"hero": text}, ensure_ascii=False))
    assert json.loads(read_comment(path)) == {"hero": text}


def test_the_largest_manifest_there_can_be_fits(tmp_path: Path) -> None:
    scenes = ["\U0001f409" * 8000] * 50
    path = write(tmp_path / "v.mp4", comment=json.dumps(scenes, ensure_ascii=False))
    assert json.loads(read_comment(path)) == scenes


def test_the_comment_does_not_depend_on_the_locale(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    script = (
        "import numpy as np\nfrom pathlib import Path\n"
        "from engine.video import VideoFormat, write_mp4\n"
        "frame = np.zeros((96, 64), np.uint8)\n"
        f"write_mp4(Path({str(path)!r}), [frame], VideoFormat(64, 64, 24, '\\U0001f409'))\n"
    )
    plain = {**os.environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    subprocess.run([sys.executable, "-c", script], env=plain, check=True)
    assert read_comment(path) == "\U0001f409"


def test_a_comment_gives_its_place_to_another(tmp_path: Path) -> None:
    path = write(tmp_path / "v.mp4", comment='{"times": [999.9]} \U0001f409')
    before = decode_planes(path, 64, 64)
    replace_comment(path, '{"times": [999.9]} \U0001f409', '{"times": [1.5]}')
    assert read_comment(path) == '{"times": [1.5]}'.ljust(23)
    assert np.array_equal(decode_planes(path, 64, 64), before)


@pytest.mark.parametrize(("old", "new"), [("another", "x"), ("a comment", "a longer comment")])
def test_a_comment_that_has_no_place_is_refused(tmp_path: Path, old: str, new: str) -> None:
    path = write(tmp_path / "v.mp4", comment="a comment")
    with pytest.raises(EncoderFailed, match="no place"):
        replace_comment(path, old, new)
    assert read_comment(path) == "a comment"


def test_a_file_that_is_no_video_has_no_place_for_a_comment(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    path.write_bytes(b"\0\0\0\x0ffree a comment")
    with pytest.raises(EncoderFailed, match="no place"):
        replace_comment(path, "a comment", "another")


def test_a_hold_looks_like_its_still(tmp_path: Path) -> None:
    still = to_i420(draw_picture(512, 512))
    path = tmp_path / "v.mp4"
    write_mp4(path, [still] * 12, VideoFormat(512, 512, 24, ""))
    planes = decode_planes(path, 512, 512)
    assert min(psnr(luma(frame), luma(still)) for frame in planes) >= 42


def test_a_crossfade_looks_like_the_blend(tmp_path: Path) -> None:
    first, second = (to_i420(draw_picture(512, 512, seed)) for seed in (1, 2))
    path = tmp_path / "v.mp4"
    write_mp4(path, tell([first, second], 6, 12), VideoFormat(512, 512, 24, ""))
    made = decode_planes(path, 512, 512)[6:18]
    blends = list(crossfade(first, second, 12))
    assert min(psnr(luma(a), luma(b)) for a, b in zip(made, blends, strict=True)) >= 40


def test_subtitles_are_a_track_that_can_be_switched_on(tmp_path: Path) -> None:
    track = subtitles(["on a beach", "in a forest"], [(0, 24), (30, 48)], 24)
    path = tmp_path / "v.mp4"
    write_mp4(path, grey_frames(48), VideoFormat(64, 64, 24, "said", track))
    said = describe(path)
    assert "Video: h264" in said and "Subtitle: mov_text" in said
    assert said.index("Video:") < said.index("Subtitle:")
    found = ffmpeg("-i", str(path), "-map", "0:s", "-f", "srt", "-").decode()
    assert "00:00:01,250 --> 00:00:02,000\nin a forest" in found
    assert len(decode_planes(path, 64, 64)) == count_frames(path) == 48
    assert read_comment(path) == "said" and boxes(path)[:2] == ["ftyp", "moov"]


def test_a_frame_that_is_not_contiguous_is_fine(tmp_path: Path) -> None:
    wide = np.full((96, 128), 77, np.uint8)
    path = tmp_path / "v.mp4"
    write_mp4(path, [wide[:, ::2]] * 2, VideoFormat(64, 64, 24, ""))
    assert luma(decode_planes(path, 64, 64)[1]).mean() == pytest.approx(77, abs=2)


def encoders() -> list[psutil.Process]:
    return [p for p in psutil.Process().children() if "ffmpeg" in p.name()]


def test_an_encoder_that_is_killed_is_named_and_gone(tmp_path: Path) -> None:
    def frames() -> Iterator[Frame]:
        for frame in grey_frames(2000):
            yield frame
            if encoders() and encoders()[0].status() != psutil.STATUS_ZOMBIE:
                encoders()[0].send_signal(signal.SIGKILL)

    with pytest.raises(EncoderFailed, match="ffmpeg ended with status -9"):
        write_mp4(tmp_path / "v.mp4", frames(), VideoFormat(64, 64, 24, ""))
    assert encoders() == []


def test_an_encoder_that_fails_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(EncoderFailed, match="No such file or directory"):
        write(tmp_path / "nowhere" / "v.mp4")


@pytest.mark.parametrize("frames", [1, 2, 13, 240])
def test_frames_are_counted(tmp_path: Path, frames: int) -> None:
    assert count_frames(write(tmp_path / "v.mp4", frames)) == frames


@pytest.mark.parametrize("kept", [0, 7, 900, -1])
def test_a_video_that_is_cut_short_has_no_frames(tmp_path: Path, kept: int) -> None:
    (tmp_path / "v.mp4").write_bytes(write(tmp_path / "whole.mp4", 48).read_bytes()[:kept])
    assert count_frames(tmp_path / "v.mp4") == 0


@pytest.mark.parametrize(
    "text", [b"", b"not a video at all", b"\0\0\0\0moov\0\0\0\0trak", b"\0\0\0\1moov" + b"\xff" * 8]
)
def test_a_file_that_is_no_video_has_no_frames(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "v.mp4").write_bytes(text)
    assert count_frames(tmp_path / "v.mp4") == 0
    assert count_frames(tmp_path / "none.mp4") == 0


def test_frames_are_counted_where_subtitles_come_first(tmp_path: Path) -> None:
    said = "1\n00:00:00,000 --> 00:00:01,000\na\n\n"
    video = VideoFormat(64, 64, 24, "", subtitles=said)
    write_mp4(tmp_path / "v.mp4", grey_frames(48), video)
    others = ("-map", "0:s", "-map", "0:v", "-c", "copy", str(tmp_path / "s.mp4"))
    ffmpeg("-i", str(tmp_path / "v.mp4"), *others)
    assert count_frames(tmp_path / "s.mp4") == 48


def test_frames_of_a_video_of_many_gigabytes_are_counted(tmp_path: Path) -> None:
    whole = write(tmp_path / "v.mp4", 48).read_bytes()
    at = whole.index(b"mdat") - 4
    with (tmp_path / "large.mp4").open("wb") as file:  # sparse: its frames take no place
        file.write(whole[:at] + struct.pack(">I4sQ", 1, b"mdat", 5 * 2**30))
        file.truncate(at + 5 * 2**30)
    assert count_frames(tmp_path / "large.mp4") == 48


def test_frames_are_counted_wherever_the_index_is(tmp_path: Path) -> None:
    whole = write(tmp_path / "first.mp4", 48)
    ffmpeg("-i", str(whole), "-map", "0", "-c", "copy", str(tmp_path / "last.mp4"))
    assert boxes(tmp_path / "last.mp4")[-1] == "moov"
    assert count_frames(tmp_path / "last.mp4") == 48


@pytest.mark.parametrize("after", [0, 1, 50])
def test_a_fault_among_the_frames_ends_the_encoder_and_passes_on(
    tmp_path: Path, after: int
) -> None:
    def frames() -> Iterator[Frame]:
        yield from grey_frames(after)
        raise LookupError("the still is gone")

    store = Store(tmp_path)
    video = VideoFormat(64, 64, 24, "")
    with pytest.raises(LookupError, match="the still is gone"):
        store.write("job", "v.mp4", lambda part: write_mp4(part, frames(), video))
    assert encoders() == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_full_disk_is_told_as_such_and_leaves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def write_full(part: Path) -> None:
        part.symlink_to("/dev/full")
        write(part)

    with pytest.raises(StorageFull):
        store.write("job", "v.mp4", write_full)
    assert [path.name for path in tmp_path.rglob("*")] == ["jobs"]


def test_no_temporary_files_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(EncoderFailed):
        write(tmp_path / "nowhere" / "v.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_full_temporary_folder_is_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("tempfile.TemporaryDirectory", full)
    with pytest.raises(StorageFull):
        Store(tmp_path).write("job", "v.mp4", lambda part: write(part) and None)
