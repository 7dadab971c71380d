"""Pictures as video sees them: I420 planes, BT.709 limited range. Pure.

A frame of a video of that width and height is uint8 (height × 3/2, width): luma, then Cb and Cr at
half the size, each in rows of `width`. Chroma is sited at the left, as H.264 players assume.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
Plane = NDArray[np.uint8]

BLACK, GREY = 16, 128
# ITU-R BT.709: rows give Y, Cb and Cr from RGB in 0..255.
_KR, _KB = 0.2126, 0.0722
_KG = 1.0 - _KR - _KB
_LUMA = np.array([_KR, _KG, _KB], np.float32) * (219 / 255)
_CB = np.array([-_KR, -_KG, 1 - _KB], np.float32) * (112 / 255 / (1 - _KB))
_CR = np.array([1 - _KR, -_KG, -_KB], np.float32) * (112 / 255 / (1 - _KR))


def to_i420(rgb: NDArray[np.uint8]) -> Frame:
    """Convert RGB (height, width, 3), both even, to a frame."""
    height, width, _ = rgb.shape
    pixels = rgb.astype(np.float32)
    frame = np.empty((height * 3 // 2, width), np.uint8)
    y, cb, cr = split(frame)
    y[:] = np.rint(pixels @ _LUMA + BLACK)
    small = halve(pixels)
    cb[:] = np.rint(small @ _CB + GREY)
    cr[:] = np.rint(small @ _CR + GREY)
    return frame


def halve(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring what each pixel has, (height, width, ...), to where chroma is sited."""
    rows = values[0::2] + values[1::2]
    left = np.concatenate([rows[:, :1], rows[:, 1:-1:2]], axis=1)
    halved: NDArray[np.float32] = (left + 2 * rows[:, 0::2] + rows[:, 1::2]) / 8
    return halved


def split(frame: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """The planes of a frame: luma (height, width), Cb and Cr of half the size; views of it.

    Whatever is laid out like a frame may be split: weights are.
    """
    height, width = frame.shape[0] * 2 // 3, frame.shape[1]
    chroma = frame[height:].reshape(2, height // 2, width // 2)
    return frame[:height], chroma[0], chroma[1]


def luma(frame: Frame) -> Plane:
    """The luma plane (height, width) of a frame."""
    return split(frame)[0]


def weigh(weights: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Bring weights a pixel (height, width), 0 to 1, into the layout of a frame, 0 to 256."""
    height, width = weights.shape
    laid = np.empty((height * 3 // 2, width), np.float32)
    y, cb, cr = split(laid)
    y[:] = weights
    cb[:] = cr[:] = halve(weights)
    whole: NDArray[np.uint16] = np.rint(laid * 256).astype(np.uint16)
    return whole


def mix(first: Frame, second: Frame, weights: NDArray[np.uint16]) -> Frame:
    """Mix two frames: where the weight is 0 it is the first, where it is 256 the second."""
    mixed = first * (256 - weights)
    mixed += second * weights
    mixed += np.uint16(128)
    mixed >>= 8
    return mixed.astype(np.uint8)
