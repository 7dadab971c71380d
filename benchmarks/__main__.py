"""Run benchmarks: `python -m benchmarks [name ...]`, all of them without a name."""

import argparse
import json
import logging
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks import encoder, film, load, page, tiny_sd

logger = logging.getLogger("benchmarks")

RESULTS = Path(__file__).parent / "results"
BENCHMARKS: dict[str, Callable[[], dict[str, Any]]] = {
    "encoder": encoder.measure,
    "film": film.measure,
    "load": load.measure,
    "page": page.measure,
    "tiny_sd": tiny_sd.measure,
}


def main() -> None:
    """Run what is named and write one JSON file each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(BENCHMARKS)}; default: all")
    names = parser.parse_args().names or list(BENCHMARKS)
    logging.basicConfig(level="INFO", format="%(message)s")
    logging.getLogger("httpx").setLevel("WARNING")  # it tells of every request
    RESULTS.mkdir(exist_ok=True)
    for name in names:
        result = {"machine": machine(), **BENCHMARKS[name]()}
        text = json.dumps(result, indent=2)
        (RESULTS / f"{name}.json").write_text(text + "\n", "utf-8")
        logger.info("%s\n%s", name, text)


def machine() -> dict[str, Any]:
    """What the numbers were taken on."""
    return {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


if __name__ == "__main__":
    main()
