"""The texts inside a picture's file, found without decoding a pixel.

PNG, WebP and JPEG are walked chunk by chunk, so a file without its pixels is read as well as a
whole one. The files come from anybody: every step is bounded by what is there, and what cannot
be read is not there.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from engine.metadata import JSON_KEY, ImageFormat

TEXT_BYTES_MAX = 256 * 2**10
"""Of one text. Our longest recipe, two prompts of emoji escaped for EXIF, takes 100 KB."""
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_EXIF = b"Exif\0\0"
_DESCRIPTION, _EXIF_IFD, _USER_COMMENT = 0x010E, 0x8769, 0x9286
_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})
_JPEG_APP1, _JPEG_COMMENT, _JPEG_SCAN = 0xE1, 0xFE, 0xDA


@dataclass(frozen=True)
class PictureTexts:
    """What a picture's file says of how it was made; an empty text where it says nothing."""

    format: ImageFormat
    recipe: str = ""
    """JSON, if Storyreel wrote it; but comments of others stand in the same place."""
    parameters: str = ""
    """The text of the widespread web interfaces."""


def read_texts(data: bytes) -> PictureTexts | None:
    """Find the texts in a file's bytes; None if it is no PNG, WebP or JPEG."""
    if data.startswith(_PNG):
        texts = dict(_png_texts(data))
        return PictureTexts("png", texts.get(JSON_KEY, ""), texts.get("parameters", ""))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        tags = _exif_tags(_webp_exif(data))
        return PictureTexts("webp", _plain(tags.get(_DESCRIPTION, b"")), _user_comment(tags))
    if data.startswith(_JPEG):
        segments = dict(_jpeg_segments(data))
        tags = _exif_tags(segments.get(_JPEG_APP1, b""))
        return PictureTexts("jpeg", _plain(segments.get(_JPEG_COMMENT, b"")), _user_comment(tags))
    return None


def _png_texts(data: bytes) -> Iterator[tuple[str, str]]:
    """The two texts, the first of each key."""
    at, wanted = len(_PNG), {JSON_KEY.encode(), b"parameters"}
    while wanted and at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + min(length, TEXT_BYTES_MAX)]
        key, _, rest = body.partition(b"\0")
        at += 12 + length
        if key not in wanted:  # each is read once, so that a file of many bombs is but one
            continue
        if kind == b"tEXt":
            wanted.remove(key)
            yield _latin(key), _latin(rest)
        elif kind == b"zTXt":
            wanted.remove(key)
            yield _latin(key), _latin(_inflated(rest[1:]))
        elif kind == b"iTXt" and len(rest) > 2:
            wanted.remove(key)
            text = rest[2:].split(b"\0", 2)[-1]  # after the language and the translated key
            yield _latin(key), _plain(_inflated(text) if rest[0] else text)


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, TEXT_BYTES_MAX)
    except zlib.error:
        return b""


def _webp_exif(data: bytes) -> bytes:
    at = 12
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        if kind == b"EXIF":
            return data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
    return b""


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The EXIF segment and the comment, both of which stand before the pixels."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == _JPEG_SCAN:
            return
        if marker in _BARE_MARKERS:
            at += 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        body = data[at + 4 : at + 2 + length]
        if marker == _JPEG_COMMENT or (marker == _JPEG_APP1 and body.startswith(_EXIF)):
            yield marker, body
        at += 2 + length


def _exif_tags(data: bytes) -> dict[int, bytes]:
    """The two texts of an EXIF block.

    Pillow's own reader would copy out every tag, and a hostile block may let each be all of it.
    """
    data = data.removeprefix(_EXIF)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    try:
        if order is None:
            return {}
        (at,) = struct.unpack_from(f"{order}I", data, 4)
        tags = _directory(data, order, at, {_DESCRIPTION, _EXIF_IFD})
        inner = tags.pop(_EXIF_IFD, b"")
        if len(inner) == 4:
            (at,) = struct.unpack(f"{order}I", inner)
            tags |= _directory(data, order, at, {_USER_COMMENT})
        return tags
    except struct.error:
        return {}


def _directory(data: bytes, order: str, at: int, wanted: set[int]) -> dict[int, bytes]:
    """Values of the wanted tags of one directory: texts, and pointers of 4 bytes.

    Raises:
        struct.error: the directory ends too early.
    """
    found = {}
    (count,) = struct.unpack_from(f"{order}H", data, at)
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, length, where = struct.unpack_from(f"{order}HHII", data, entry)
        if tag not in wanted or tag in found:
            continue
        if kind == 4:
            found[tag] = data[entry + 8 : entry + 12]
        else:
            start = where if length > 4 else entry + 8
            found[tag] = data[start : start + min(length, TEXT_BYTES_MAX)]
    return found


def _user_comment(tags: dict[int, bytes]) -> str:
    comment = tags.get(_USER_COMMENT, b"")
    code, text = comment[:8], comment[8:]
    if code == b"UNICODE\0":
        return text.decode("utf-16-be", "replace").rstrip("\0")
    return _plain(text) if code == b"ASCII\0\0\0" else ""


def _plain(text: bytes) -> str:
    return text.decode("utf-8", "replace").rstrip("\0")


def _latin(text: bytes) -> str:
    return text.decode("latin-1")
