import numpy as np
import pytest

from engine.planes import luma, mix, split, to_i420, weigh
from tests.movies import ffmpeg
from tests.pictures import draw_picture, psnr


@pytest.mark.parametrize(("width", "height"), [(64, 64), (72, 120), (512, 256)])
def test_i420_is_what_ffmpeg_makes_of_the_same_pixels(width: int, height: int) -> None:
    pixels = draw_picture(width, height)
    raw = ffmpeg(
        *("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-i", "-"),
        *("-vf", "scale=out_color_matrix=bt709:out_range=tv:out_chroma_loc=left"
                 ":flags=area+accurate_rnd+full_chroma_int+full_chroma_inp,format=yuv420p"),
        *("-f", "rawvideo", "-"),
        stdin=pixels.tobytes(),
    )  # fmt: skip
    theirs = np.frombuffer(raw, np.uint8).reshape(height * 3 // 2, width)
    ours = to_i420(pixels)
    difference = np.abs(luma(ours).astype(int) - luma(theirs).astype(int))
    assert difference.max() <= 1
    assert psnr(ours[height:], theirs[height:]) >= 55


@pytest.mark.parametrize(
    ("rgb", "yuv"),
    [
        ((0, 0, 0), (16, 128, 128)),
        ((255, 255, 255), (235, 128, 128)),
        ((255, 0, 0), (63, 102, 240)),
        ((0, 255, 0), (173, 42, 26)),
        ((0, 0, 255), (32, 240, 118)),
        ((128, 128, 128), (126, 128, 128)),
    ],
)
def test_i420_knows_the_bt709_colours(rgb: tuple[int, ...], yuv: tuple[int, ...]) -> None:
    planes = to_i420(np.full((8, 8, 3), rgb, np.uint8))
    chroma = planes[8:].reshape(2, 4, 4)
    assert np.unique(luma(planes)).tolist() == [yuv[0]]
    assert (np.unique(chroma[0]).tolist(), np.unique(chroma[1]).tolist()) == ([yuv[1]], [yuv[2]])


def test_planes_are_views_of_their_frame() -> None:
    frame = to_i420(draw_picture(96, 64))
    y, cb, cr = split(frame)
    assert (y.shape, cb.shape, cr.shape) == ((64, 96), (32, 48), (32, 48))
    for plane in (y, cb, cr):
        plane[:] = 1
    assert frame.max() == 1


def test_a_mix_takes_each_pixel_from_where_its_weight_says() -> None:
    first, second = (to_i420(draw_picture(96, 64, seed)) for seed in (1, 2))
    weights = np.zeros((64, 96), np.float32)
    weights[:, 48:] = 1
    for a, b, mixed in zip(
        *(split(frame) for frame in (first, second, mix(first, second, weigh(weights)))),
        strict=True,
    ):
        half = a.shape[1] // 2
        assert np.array_equal(mixed[:, : half - 1], a[:, : half - 1])
        assert np.array_equal(mixed[:, half + 1 :], b[:, half + 1 :])
