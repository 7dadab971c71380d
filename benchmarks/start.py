"""From `python app.py` to its first answer and its first picture.

Held against a process that only imports gradio and fastapi. Both are started in turn, after one
start each that brings their files into memory.
"""

import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

from benchmarks.checks import check_picture
from benchmarks.extents import extent
from benchmarks.servers import BUNDLED, free_port, storyreel
from benchmarks.targets import judge
from benchmarks.turns import figure, ratio, told
from benchmarks.workloads import one_image

IMPORTS = (sys.executable, "-c", "import gradio, fastapi; print('done', flush=True)")
_POLL_S = 0.01
_WITHIN_S = 300


def measure() -> dict[str, Any]:
    """Start both in turn."""
    rounds = extent("rounds", 7, 1)
    answers, pictures, imports = [], [], []
    for number in range(rounds + 1):
        import_s = import_only_s()
        answer_s, picture_s = start_s()
        if number:  # the first reads the files from the disk
            imports.append(import_s)
            answers.append(answer_s)
            pictures.append(picture_s)
    over = ratio(answers, imports)
    what = "first answer of python app.py against a process that imports gradio and fastapi"
    return {
        "rounds": rounds,
        "seconds": {
            "first_answer": told(answers),
            "imports_only": told(imports),
            "first_picture": told(pictures),
        },
        "first_picture_steps": one_image().num_inference_steps,
        "first_picture_after_answer_s": figure(
            statistics.median(a - b for a, b in zip(pictures, answers, strict=True))
        ),
        "ratio_of_first_answer_to": {"imports_only": over},
        "targets": [judge(what, over["median"], at_most=1.3)],
    }


def import_only_s() -> float:
    """Seconds until a new process has imported gradio and fastapi."""
    start = time.perf_counter()
    with subprocess.Popen(IMPORTS, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise RuntimeError("gradio and fastapi cannot be imported")
        return time.perf_counter() - start


def start_s() -> tuple[float, float]:
    """Seconds from the start of our service to its first answer, and to its first picture."""
    port = free_port()
    with tempfile.TemporaryDirectory() as data_dir:
        start = time.perf_counter()
        command = [*storyreel(BUNDLED), "--port", str(port), "--data-dir", data_dir]
        with subprocess.Popen(command) as process:
            try:
                _wait(process, port)
                answer_s = time.perf_counter() - start
                made = _first_picture(port)
                picture_s = time.perf_counter() - start
            finally:
                process.kill()
    check_picture(made, one_image())
    return answer_s, picture_s


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    end = time.monotonic() + _WITHIN_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the service ended with status {process.returncode}")
        try:
            if _call(port, "GET", "/health")[0] == 200:
                return
        except OSError:  # it does not listen yet
            time.sleep(_POLL_S)
    raise TimeoutError(f"no answer within {_WITHIN_S} s")


def _first_picture(port: int) -> bytes:
    status, made = _call(port, "POST", "/generate", one_image().model_dump(exclude_none=True))
    if status != 200:
        raise RuntimeError(f"the first picture was answered {status}: {made[:300]!r}")
    return made


def _call(port: int, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
    """One call; the plain client of the library, which costs the machine next to nothing."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_WITHIN_S)
    try:
        data = None if body is None else json.dumps(body)
        connection.request(method, path, data, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
