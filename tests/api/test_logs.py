"""Request ids in answers and log lines; lines that programs can read."""

import json
import logging
import re

import httpx
import pytest

from api.logs import configure_logs


def test_every_answer_has_an_id(api: httpx.Client) -> None:
    first, second = (api.get("/health").headers["x-request-id"] for _ in range(2))
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert first != second
    assert api.get("/nowhere").headers["x-request-id"]


def test_an_id_that_a_caller_brings_is_kept(api: httpx.Client) -> None:
    answer = api.get("/health", headers={"X-Request-ID": "night-run.17"})
    assert answer.headers["x-request-id"] == "night-run.17"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\tb"])
def test_an_id_that_would_spoil_the_log_is_replaced(api: httpx.Client, given: str) -> None:
    answer = api.get("/health", headers={"X-Request-ID": given})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


@pytest.fixture
def root_logger() -> object:
    """Put the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:], root.level = handlers, level


def test_lines_are_text_or_json(
    root_logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("info", as_json=True)
    logging.getLogger("engine.worker").info('job %s: "ended"', "abc")
    told = json.loads(capsys.readouterr().err)
    assert (told["level"], told["logger"], told["message"]) == (
        *("INFO", "engine.worker"),
        'job abc: "ended"',
    )
    configure_logs("warning", as_json=False)
    logging.getLogger("engine.worker").info("unheard")
    logging.getLogger("engine.worker").warning("heard")
    assert capsys.readouterr().err.endswith("WARNING engine.worker: heard\n")
