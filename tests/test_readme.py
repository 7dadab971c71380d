"""The README is true: its examples run, and its tables name what there is."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from app import create_app
from engine import Settings
from tests.server import in_a_loop, running, wait_until_ready

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text("utf-8")
ADDRESS = "http://localhost:8000"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def url(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data_dir = tmp_path_factory.mktemp("data")
    settings = {"model": str(tiny_model), "data_dir": data_dir, "dtype": "float32"}
    app = in_a_loop(lambda: create_app(Settings.model_validate(settings)))
    with running(app) as url:
        wait_until_ready(url)
        yield url


def test_python_examples(url: str, tmp_path: Path) -> None:
    assert len(blocks("python")) == 3
    for code in blocks("python"):
        command = [sys.executable, "-c", code.replace(ADDRESS, url)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert b"ftyp" in (tmp_path / "story.mp4").read_bytes()[:16]
    with Image.open(tmp_path / "castle.png") as image:
        assert image.size == (512, 512)


def test_curl_examples(url: str, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    examples = [block for block in blocks("bash") if block.startswith("curl")]
    assert examples
    for example in examples:
        subprocess.run(["bash", "-ec", example.replace(ADDRESS, url)], cwd=tmp_path, check=True)
    with Image.open(tmp_path / "fox.png") as image:
        assert image.size == (512, 512)


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"^make (\w+)", TEXT, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_settings_table_names_every_setting() -> None:
    listed = re.findall(r"^\| `--([a-z-]+)` \| `STORYREEL_([A-Z_]+)`", TEXT, re.MULTILINE)
    assert {flag.replace("-", "_") for flag, _ in listed} == set(Settings.model_fields)
    assert all(flag.replace("-", "_").upper() == variable for flag, variable in listed)


def test_routes_table_names_real_routes(url: str) -> None:
    import httpx

    paths = httpx.get(f"{url}/openapi.json").json()["paths"]
    for method, path in re.findall(r"`(GET|POST|DELETE) (/[a-z/{}-]*)`", TEXT):
        known = {name.replace("{job_id}", "{id}"): methods for name, methods in paths.items()}
        assert method.lower() in known[path]


def test_linked_files_exist() -> None:
    for target in re.findall(r"\]\((?!http)([^)]+)\)", TEXT):
        assert (ROOT / target).exists(), target
