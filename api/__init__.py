"""The REST face: a FastAPI app around one engine. HTTP lives here and nowhere below."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from api.documented import build_router
from api.errors import handle_errors
from api.jobs import build_job_router
from api.keys import Keyring, read_secret
from api.login import build_login_router
from api.metrics import add_metrics
from api.security import guard
from engine import Engine

_DESCRIPTION = """
Prompts into images, and a list of scenes with one hero into a story video.

* Types are strict: `"25"` is not `25`, and unknown fields are refused.
* The same seed and request give the same picture; a seed that is left out is drawn and told.
* A client that leaves a `/generate…` call cancels its work; a job goes on, and is found again.
* Every error answers a `code` for programs, a `detail` and an `advice` for people.

The page is at [/ui/](/ui/), its client endpoints at [/ui/?view=api](/ui/?view=api).
"""


def build_api(engine: Engine) -> FastAPI:
    """Build the app with the documented routes, its guards and its error answers.

    The app closes the engine when it shuts down.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine.load()
        yield
        await asyncio.to_thread(engine.close)

    app: FastAPI = FastAPIOffline(
        title="Storyreel",
        version="0.1.0",
        description=_DESCRIPTION,
        lifespan=lifespan,
    )
    app.state.engine = engine
    app.include_router(build_router(engine))
    app.include_router(build_job_router(engine))
    keyring = Keyring(engine.settings.keys(), read_secret(engine.settings.data_dir))
    app.include_router(build_login_router(keyring))
    handle_errors(app)
    guard(app, engine, keyring)
    add_metrics(app, engine)
    return app
