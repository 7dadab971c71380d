import ast
import json
import shlex

import pytest

from engine import ImageRequest, VideoRequest
from ui import snippets

URL = "http://127.0.0.1:8000"
AWKWARD = "it's \"odd\": $HOME `x` \\ {'é'}\nand\u2028more"
REQUESTS = [
    ImageRequest(prompt="a red fox"),
    ImageRequest(prompt=AWKWARD, seed=7, format="webp", guidance_scale=3.5),
    VideoRequest(scenes=["one", AWKWARD], hero_description="a knight", fps=30),
]


@pytest.mark.parametrize("request_", REQUESTS)
def test_curl_sends_the_request(request_: ImageRequest | VideoRequest) -> None:
    words = shlex.split(snippets.curl(request_, URL))
    assert words[:2] == ["curl", "-X"]
    assert type(request_)(**json.loads(words[words.index("-d") + 1])) == request_
    assert words[3] == URL + ("/generate" if request_ in REQUESTS[:2] else "/generate-video")


@pytest.mark.parametrize("request_", REQUESTS)
def test_requests_sends_the_request(request_: ImageRequest | VideoRequest) -> None:
    tree = ast.parse(snippets.requests_code(request_, URL))
    call = next(n for n in ast.walk(tree) if isinstance(n, ast.Call) and n.keywords)
    assert type(request_)(**ast.literal_eval(call.keywords[0].value)) == request_


@pytest.mark.parametrize("request_", REQUESTS)
def test_gradio_client_sends_the_request(request_: ImageRequest | VideoRequest) -> None:
    tree = ast.parse(snippets.client_code(request_, URL))
    call = next(n for n in ast.walk(tree) if isinstance(n, ast.Call) and n.keywords)
    given = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
    endpoint = given.pop("api_name")
    assert endpoint in {"/generate_image", "/generate_video"}
    assert type(request_)(**given) == request_
