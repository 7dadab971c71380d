"""Start Storyreel: one process with the REST routes, the page and the engine they share."""

import gc
import logging
import os
import signal
import sys
from types import FrameType

if __name__ == "__main__":
    # Until all is built: importing makes 600,000 objects and no garbage to look for.
    gc.disable()

import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError
from pydantic_settings import CliApp, SettingsError

from api import build_api
from api.logs import configure_logs
from engine import Engine, EngineError, Settings
from engine.departure import leave_at_once_if_busy
from engine.heap import use_few_arenas
from ui import mount_ui

logger = logging.getLogger(__name__)


def create_app(settings: Settings) -> FastAPI:
    """Build the whole service; the model begins to load in the background once it is served.

    Not before: the libraries of the model would take their time from the page, which is all
    that the first visitor waits for.

    Raises:
        OSError: the data folder cannot be made or written.
        EngineError: the data folder is in use, or its journal cannot be used.
    """
    engine = Engine(settings, load_now=False)
    app = build_api(engine)
    # Gradio's default is one folder for all users of the machine. Read when the page is built.
    cache = settings.data_dir.resolve() / "page"
    cache.mkdir(mode=0o700, exist_ok=True)
    os.environ.setdefault("GRADIO_TEMP_DIR", str(cache))
    return mount_ui(app, engine)


class Server(uvicorn.Server):
    """uvicorn, but a signal first ends running jobs, so that open requests are answered."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.config.app.state.engine.stop_accepting()  # type: ignore[union-attr]
        # uvicorn's own handler would raise the signal again afterwards, and the exit not be 0.
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def main() -> None:
    """Read the settings, serve until a signal comes."""
    # transformers warns of optional parts that are not needed here; set before its import.
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    try:
        settings = CliApp.run(Settings)
    except ValidationError as err:
        told = [_flag(e["loc"]) + e["msg"].removeprefix("Value error, ") for e in err.errors()]
        sys.exit("\n".join(told))
    except SettingsError as err:
        sys.exit(str(err))
    configure_logs(settings.log_level, as_json=settings.log_json)
    use_few_arenas()
    try:
        app = create_app(settings)
    except OSError as err:
        sys.exit(f"--data-dir {settings.data_dir} cannot be used: {err.strerror}")
    except EngineError as err:
        sys.exit(f"{err.message} {err.advice}")
    gc.freeze()  # what is there by now stays, and need not be looked through again and again
    gc.enable()
    logger.info("Storyreel on http://%s:%d/ui/", settings.host, settings.port)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        timeout_graceful_shutdown=1,
        access_log=False,
    )
    Server(config).run()
    leave_at_once_if_busy()


def _flag(location: tuple[int | str, ...]) -> str:
    return f"--{str(location[0]).replace('_', '-')}: " if location else ""


if __name__ == "__main__":
    main()
