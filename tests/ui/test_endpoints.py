import inspect

import gradio as gr
import pytest

from engine import Engine, ImageRequest, VideoRequest
from tests.ui.conftest import in_a_loop
from ui import build_ui

ENDPOINTS = {
    "generate_image": ImageRequest,
    "generate_video": VideoRequest,
    "video_info": VideoRequest,
}


@pytest.fixture
def blocks(engine: Engine) -> gr.Blocks:
    blocks = in_a_loop(lambda: build_ui(engine))
    blocks.config = blocks.get_config_file()
    return blocks


def test_only_the_four_endpoints_are_public(blocks: gr.Blocks) -> None:
    named = blocks.get_api_info()["named_endpoints"]
    assert set(named) == {"/generate_image", "/generate_video", "/video_info", "/health"}
    assert blocks.get_api_info()["unnamed_endpoints"] == {}
    assert all(info["description"] for info in named.values())


@pytest.mark.parametrize("name", ENDPOINTS)
def test_parameters_are_the_fields_of_the_request(blocks: gr.Blocks, name: str) -> None:
    told = blocks.get_api_info()["named_endpoints"][f"/{name}"]["parameters"]
    fields = ENDPOINTS[name].model_fields
    more = ["return_base64"] if name == "generate_image" else []
    assert [parameter["parameter_name"] for parameter in told] == [*fields, *more]
    for parameter, field in zip(told, fields.values(), strict=not more):
        assert parameter["parameter_has_default"] is not field.is_required()
        if not field.is_required():
            assert parameter["parameter_default"] == field.default


def test_no_event_waits_in_gradios_own_queue(blocks: gr.Blocks) -> None:
    limited = [fn for fn in blocks.fns.values() if fn.concurrency_limit not in (None, "default")]
    assert all(fn.renderable for fn in limited)  # the cards of the storyboard alone
    assert blocks._queue.default_concurrency_limit is None


def test_work_is_followed_by_generators(blocks: gr.Blocks) -> None:
    work = {fn.api_name: fn.fn for fn in blocks.fns.values() if fn.api_visibility == "public"}
    assert inspect.isasyncgenfunction(work["generate_image"])
    assert inspect.isasyncgenfunction(work["generate_video"])
