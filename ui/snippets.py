"""Copy-ready code that asks this very service for what now stands on the page."""

import json
from typing import Any

from engine import ImageRequest, Request


def curl(request: Request, base_url: str) -> str:
    """A shell command that saves the file."""
    route, name = _target(request)
    body = json.dumps(_fields(request), indent=2, ensure_ascii=False).replace("'", "'\\''")
    return (
        f'curl -X POST "{base_url}{route}" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d '{body}' \\\n"
        f"  --output {name}\n"
    )


def requests_code(request: Request, base_url: str) -> str:
    """Python with the `requests` package."""
    route, name = _target(request)
    return (
        "import requests\n\n"
        "response = requests.post(\n"
        f'    "{base_url}{route}",\n'
        f"    json={_indented(_fields(request), 4)},\n"
        ")\n"
        "response.raise_for_status()\n"
        f'with open("{name}", "wb") as file:\n'
        "    file.write(response.content)\n"
        'print("seed", response.headers["X-Seed"])\n'
    )


def client_code(request: Request, base_url: str) -> str:
    """Python with the `gradio_client` package."""
    endpoint = "/generate_image" if isinstance(request, ImageRequest) else "/generate_video"
    arguments = "".join(
        f"    {name}={_indented(value, 4)},\n" for name, value in _fields(request).items()
    )
    return (
        "from gradio_client import Client\n\n"
        f'client = Client("{base_url}/ui/")\n'
        "path, made = client.predict(\n"
        f"{arguments}"
        f'    api_name="{endpoint}",\n'
        ")\n"
        'print(path, "seed", made["seed"])\n'
    )


def _target(request: Request) -> tuple[str, str]:
    if isinstance(request, ImageRequest):
        return "/generate", f"image.{request.format}"
    return "/generate-video", "story.mp4"


def _fields(request: Request) -> dict[str, Any]:
    """What the request says beyond the defaults."""
    return request.model_dump(exclude_defaults=True)


def _indented(value: Any, by: int) -> str:
    """JSON, which for text, numbers and lists is Python too; nothing else is in a request."""
    text = json.dumps(value, indent=4, ensure_ascii=False)
    return text.replace("\n", "\n" + " " * by)
