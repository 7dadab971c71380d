"""What an operator can set: command line first, then environment, then the defaults here.

Read once by `app.py` and passed down; nothing else looks at the environment.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import BeforeValidator, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

DeviceName = Literal["auto", "cuda", "mps", "cpu"]
DtypeName = Literal["auto", "float16", "bfloat16", "float32"]
LogLevel = Literal["debug", "info", "warning", "error"]


def _user_data_dir() -> Path:
    return Path(platformdirs.user_data_dir("storyreel", appauthor=False))


def _split(value: Any) -> Any:
    """Take "a, b" for a list, as environment variables write it."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


Names = Annotated[list[str], NoDecode, BeforeValidator(_split)]


class Settings(BaseSettings):
    """Storyreel: prompts into images, and scenes with one hero into a story video."""

    model_config = SettingsConfigDict(
        env_prefix="STORYREEL_",
        frozen=True,
        extra="forbid",
        cli_prog_name="app.py",
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_hide_none_type=True,
        cli_avoid_json=True,
    )

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on")
    model: str = Field(
        "auto",
        description="'auto' (segmind/tiny-sd if it is in the local hub cache, else the bundled "
        "model), 'bundled', a hub id, or a folder in diffusers layout",
    )
    device: DeviceName = Field("auto", description="auto takes CUDA, then MPS, then the CPU")
    dtype: DtypeName = Field(
        "auto",
        description="auto takes float16 on CUDA and MPS, bfloat16 on CPUs that compute it "
        "natively, else float32",
    )
    offload: bool = Field(
        False, description="keep on the GPU only the part of the model in use (slower, smaller)"
    )
    data_dir: Path = Field(
        default_factory=_user_data_dir, description="folder for finished pictures and videos"
    )
    max_queue: int = Field(64, ge=1, description="most image tasks that may wait")
    allowed_hosts: Names = Field(
        default=[],
        description="Host headers to answer, with commas between; default: this machine's "
        "names when listening on loopback, else any",
    )
    cors_origins: Names = Field(
        default=[], description="origins, with commas between, whose pages may call from a browser"
    )
    log_level: LogLevel = Field("info", description="how much to log")

    @field_validator("data_dir")
    @classmethod
    def _at_home(cls, folder: Path) -> Path:
        return folder.expanduser()

    @property
    def listens_on_loopback(self) -> bool:
        return self.host in {"127.0.0.1", "localhost", "::1"}
