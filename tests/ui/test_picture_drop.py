"""What is said of a dropped picture, and what may be sent instead of one."""

from base64 import b64encode

import pytest

from engine.parameters import FoundSettings, parse_parameters
from tests.test_parameters import made
from ui.picture_drop import found_html, read_dropped

FACTS = "Steps: 20, Seed: 7, Size: 64x64"


def found(text: str) -> FoundSettings:
    settings = parse_parameters(text)
    assert settings is not None
    return settings


@pytest.mark.parametrize("data", [None, 3, [], {}, "", "?", "aGVsbG8=", "aGVsbG8", "\ud800"])
def test_anything_may_be_sent(data: object) -> None:
    assert read_dropped(data) is None


def test_a_picture_is_read() -> None:
    settings = read_dropped(b64encode(made(prompt="a fox")).decode())
    assert settings is not None and settings.request.prompt == "a fox"


def test_names_from_the_file_are_escaped() -> None:
    hostile = f"a fox\n{FACTS}, Model: <script>alert(1)</script>"
    html = found_html(found(hostile), "<img src=x>.png", "tiny")
    assert "<script>" not in html and "<img" not in html
    assert "&lt;script&gt;" in html


def test_another_model_is_told_and_the_same_is_not() -> None:
    settings = found(f"a fox\n{FACTS}, Model: tiny")
    assert "another picture" in found_html(settings, "a.png", "bundled")
    assert "draws this picture again" in found_html(settings, "a.png", "tiny")
    assert "another picture" not in found_html(settings, "a.png", "")


def test_what_was_left_out_is_told_by_the_names_on_the_page() -> None:
    html = found_html(found("a fox\nSteps: 99, Seed: 7, Size: 64x65"), "a.png", "")
    assert "Steps: must be less than or equal to 50." in html
    assert "Size, height: must be a multiple of 8." in html
