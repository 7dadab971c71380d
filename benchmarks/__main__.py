"""Run benchmarks: `python -m benchmarks [name ...]`, all of them without a name.

`--smoke` runs them with extents so small that they show only that they run; their results then
go to a folder of their own.
"""

import argparse
import importlib
import json
import logging
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import plots, targets
from benchmarks.extents import is_full, is_smoke, told_extents

logger = logging.getLogger("benchmarks")

RESULTS = Path(__file__).parent / "results"
# By module and function, imported when run: each starts in a process that has seen none of others.
BENCHMARKS = {
    "start": "start:measure",
    "encoder": "encoder:measure",
    "film": "film:measure",
    "assembly": "assembly:measure",
    "image_bundled": "image:measure_bundled",
    "story_bundled": "story:measure_bundled",
    "ten_scenes_bundled": "story:measure_ten_scenes_bundled",
    "concurrency_bundled": "concurrency:measure_bundled",
    "estimates": "estimates:measure",
    "fairness": "fairness:measure",
    "offered_load": "offered_load:measure",
    "load": "load:measure",
    "page": "page:measure",
    "tiny_sd": "tiny_sd:measure",
    "image_tiny_sd": "image:measure_tiny_sd",
    "concurrency_tiny_sd": "concurrency:measure_tiny_sd",
    "story_tiny_sd": "story:measure_tiny_sd",
    "ten_scenes_tiny_sd": "story:measure_ten_scenes_tiny_sd",
}
_LIBRARIES = (
    *("torch", "diffusers", "transformers", "imageio", "imageio-ffmpeg", "numpy"),
    *("fastapi", "uvicorn", "gradio"),
)


def main() -> int:
    """Run what is named, each in a process of its own; then draw all results and judge them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--smoke", action="store_true", help="only show that they run")
    parser.add_argument("--results", type=Path, help="folder for JSON and plots")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if unknown := set(told.names) - set(BENCHMARKS):
        parser.error(f"there is no benchmark called {', '.join(sorted(unknown))}")
    logging.basicConfig(level="INFO", format="%(message)s")
    logging.getLogger("httpx").setLevel("WARNING")  # it tells of every request
    if told.smoke:
        os.environ["BENCH_SMOKE"] = "1"
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    folder = told.results or (Path(tempfile.mkdtemp(prefix="bench-")) if is_smoke() else RESULTS)
    folder.mkdir(parents=True, exist_ok=True)
    if told.here:
        for name in told.names:
            keep(name, folder)
        return 0
    command = [sys.executable, "-m", "benchmarks", "--here", "--results", str(folder)]
    failed = [
        name
        for name in told.names or BENCHMARKS
        if subprocess.run([*command, name], check=False).returncode
    ]
    report(folder)
    if failed:
        logger.error("these failed: %s", ", ".join(failed))
    return 1 if failed else 0


def keep(name: str, folder: Path) -> None:
    """Run one benchmark and keep its result as JSON; each kind of device has a file of its own."""
    logger.info("== %s", name)
    module, function = BENCHMARKS[name].split(":")
    on = machine()
    logger.info("%s", json.dumps(on))
    measured = getattr(importlib.import_module(f"benchmarks.{module}"), function)()
    for target in () if is_full() else measured.get("targets", ()):
        target["state"] = "unmeasured"  # other work than the target is about
    text = json.dumps({"machine": on, "extents": told_extents(), **measured}, indent=2)
    (folder / f"{name}{_suffix(on)}.json").write_text(text + "\n", "utf-8")
    logger.info("%s", text)


def machine() -> dict[str, Any]:
    """What the numbers were taken on."""
    import torch

    on_gpu = torch.cuda.is_available()
    return {
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "architecture": platform.machine(),
        "processor": _processor(),
        "bf16": any(torch.cpu.get_capabilities().get(f"{unit}_bf16") for unit in ("avx512", "amx")),
        "device": "cuda" if on_gpu else "cpu",
        "gpu": torch.cuda.get_device_name() if on_gpu else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "versions": {name: version(name) for name in _LIBRARIES},
        "load_average": [round(load, 2) for load in os.getloadavg()],
    }


def _suffix(on: dict[str, Any]) -> str:
    """What tells results on one kind of device from others'; none for a CPU with bfloat16."""
    if on["device"] == "cpu":
        return "" if on["bf16"] else "-float32"
    return f"-{on['device']}"


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text("utf-8").splitlines() if facts.is_file() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor()


def report(folder: Path) -> None:
    """Draw what is in a folder of results, and tell how the targets stand."""
    results = plots.read_results(folder)
    for path in plots.draw_all(results, folder):
        logger.info("drawn: %s", path)
    for name, result in results.items():
        for target in result.get("targets", ()):
            logger.info("%-24s %s", name, targets.line(target))


if __name__ == "__main__":
    sys.exit(main())
