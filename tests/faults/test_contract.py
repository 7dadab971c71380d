"""The service against its own OpenAPI document: whatever is sent, the answer is documented."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.conftest import MakeService, Tell
from tests.faults.service import IMAGE, STORY

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(3600)
def test_every_answer_is_documented(
    make_service: MakeService, tmp_path: Path, pytestconfig: pytest.Config, tell: Tell
) -> None:
    service = make_service("--max-queue", "100000").start()
    service.done(service.submit(IMAGE))
    service.done(service.submit(STORY, "/jobs/video"))
    command: list[str | Path] = [Path(sys.executable).with_name("schemathesis")]
    command += ["--config-file", Path(__file__).with_name("contract.toml")]
    command += ["run", f"{service.url}/openapi.json", "--no-color"]
    command += ["--max-examples", str(pytestconfig.getoption("--examples"))]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    tried = re.search(r"\d+ generated.*", done.stdout)
    tell(f"Schemathesis: {tried and tried[0]}")
