"""Starting and stopping the real process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from engine.store import lock_folder
from tests.server import free_port

ROOT = Path(__file__).parents[1]


def run_app(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "app.py", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True
    )


@contextmanager
def serving(model: Path, data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    port = free_port()
    command = [sys.executable, "app.py", "--model", str(model), "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--data-dir", str(data_dir)], cwd=ROOT, text=True, stderr=subprocess.PIPE
    )
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            assert process.poll() is None
            try:
                if httpx.get(f"{url}/health/ready").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        yield process, url
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_help_explains_every_flag() -> None:
    text = run_app("--help").stdout
    for flag in ("--host", "--port", "--model", "--device", "--dtype", "--data-dir", "--offload"):
        assert flag in text


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--port", "high"), "port"),
        (("--device", "tpu"), "device"),
        (("--max-queue", "0"), "queue"),
    ],
)
def test_a_wrong_setting_is_named_without_a_traceback(
    arguments: tuple[str, str], named: str
) -> None:
    done = run_app(*arguments)
    assert done.returncode != 0
    assert named in done.stderr and "Traceback" not in done.stderr


def test_an_unusable_data_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = run_app("--data-dir", str(tmp_path / "file" / "data"))
    assert done.returncode != 0
    assert "--data-dir" in done.stderr and "Traceback" not in done.stderr


def test_a_data_folder_in_use_is_named(tmp_path: Path) -> None:
    lock = lock_folder(tmp_path / "data")
    done = run_app("--data-dir", str(tmp_path / "data"))
    lock.release()
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert str(tmp_path / "data") in done.stderr and "--data-dir" in done.stderr


def test_a_damaged_journal_is_named_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    path.write_bytes(b"not what it was")
    done = run_app("--data-dir", str(tmp_path))
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert str(path) in done.stderr and path.read_bytes() == b"not what it was"


def test_settings_come_from_the_environment(tmp_path: Path) -> None:
    done = run_app(STORYREEL_DATA_DIR=str(tmp_path), STORYREEL_PORT="high")
    assert "port" in done.stderr


def test_serves_and_stops_on_sigterm_while_drawing(tiny_model: Path, tmp_path: Path) -> None:
    with serving(tiny_model, tmp_path / "data") as (process, url):
        assert httpx.get(f"{url}/ui/").status_code == 200
        body = {"prompt": "a fox", "num_inference_steps": 50, "width": 1024, "height": 1024}
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{url}/generate", json=body, timeout=1)
        start = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        assert time.monotonic() - start < 10
    assert not list((tmp_path / "data").rglob("*.part"))
