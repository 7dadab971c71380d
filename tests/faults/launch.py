"""The real server as a process of its own, quickly started, with faults at a test's word.

A fork server imports everything once; each server is a fork of it that runs `app.main`, with a
process id, signals and an exit status of its own. What stands in for bad luck is here: the pace
of a denoising step, a model that breaks, a clock that jumps, a quota. The engine knows of none.
"""

import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any, Literal

Fault = Literal["out of memory", "nan in latents", "nan in the picture"]


@dataclass(frozen=True)
class Launch:
    """How to start a server; the files through which a test and it speak lie in `desk`."""

    arguments: tuple[str, ...]
    desk: Path
    step_s: float = 0.0
    """Seconds that every denoising step takes longer."""
    file_bytes: int | None = None
    """No file of the server grows beyond this."""

    @property
    def log(self) -> Path:
        """What the server writes to its standard output and error."""
        return self.desk / "log"

    @property
    def temporary(self) -> Path:
        """The folder that the server has for temporary files."""
        return self.desk / "temporary"

    @property
    def steps(self) -> Path:
        """A line for each denoising step that ended: the monotonic clock, the seconds it took."""
        return self.desk / "steps"

    @property
    def fault(self) -> Path:
        """While it is there, the model has the fault it names."""
        return self.desk / "fault"

    @property
    def clock(self) -> Path:
        """Seconds by which the server's clock is wrong."""
        return self.desk / "clock"


def fork_server() -> ForkServerContext:
    """The context whose processes start with everything imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["app", "engine.production", __name__])
    return context


def serve(launch: Launch) -> None:
    """Be `python app.py` with these arguments, until a signal comes."""
    threading.Thread(target=_end_with_the_test, daemon=True).start()
    log = os.open(launch.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.environ.pop("GRADIO_TEMP_DIR", None)  # a server in the test's own process has set it
    launch.temporary.mkdir(exist_ok=True)
    os.environ["TMPDIR"], tempfile.tempdir = str(launch.temporary), None
    if launch.file_bytes is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (launch.file_bytes, hard))
    _let_clock_jump(launch.clock)
    _pace_steps(launch)
    _let_model_break(launch.fault)
    sys.argv = ["app.py", *launch.arguments]
    import app

    app.main()


def _end_with_the_test() -> None:
    """A run of tests that is killed must not leave servers behind."""
    tests = multiprocessing.parent_process()
    assert tests is not None
    tests.join()
    os.kill(os.getpid(), signal.SIGKILL)


def _let_clock_jump(offset: Path) -> None:
    real = time.time

    def now() -> float:
        try:
            return real() + float(offset.read_text())
        except FileNotFoundError:
            return real()

    time.time = now


def _pace_steps(launch: Launch) -> None:
    from engine.solver import Solver
    from tests.pacing import slowed

    steps = os.open(launch.steps, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def ended(at: float) -> None:
        os.write(steps, f"{at}\n".encode())

    slow_step = staticmethod(slowed(Solver.step, launch.step_s, ended))
    Solver.step = slow_step  # type: ignore[method-assign, assignment]


def _let_model_break(fault: Path) -> None:
    import torch

    from engine import models

    original: Callable[..., Any] = models.open_model

    def present() -> str:
        return fault.read_text() if fault.exists() else ""

    def after_step(module: Any, inputs: Any, output: Any) -> Any:
        if present() == "out of memory":
            raise torch.OutOfMemoryError("CUDA out of memory.")
        if present() == "nan in latents":
            output[0].fill_(torch.nan)
        return output

    def after_decoding(module: Any, inputs: Any, output: Any) -> Any:
        return output * torch.nan if present() == "nan in the picture" else output

    def open_model(*arguments: Any) -> Any:
        model = original(*arguments)
        model.pipeline.unet.register_forward_hook(after_step)
        model.pipeline.vae.decoder.register_forward_hook(after_decoding)
        return model

    models.open_model = open_model
