"""What an operator can set: command line first, then environment, then the defaults here.

Read once by `app.py` and passed down; nothing else looks at the environment.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import platformdirs
from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

DeviceName = Literal["auto", "cuda", "mps", "cpu"]
DtypeName = Literal["auto", "float16", "bfloat16", "float32"]
LogLevel = Literal["debug", "info", "warning", "error"]
KEY_LENGTH_MIN = 8


def _user_data_dir() -> Path:
    return Path(platformdirs.user_data_dir("storyreel", appauthor=False))


def _split(value: Any) -> Any:
    """Take "a, b" for a list, as environment variables write it."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _read_keys(path: Path) -> list[str]:
    try:
        lines = path.expanduser().read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as err:
        raise ValueError(f"--api-key-file {path} cannot be read: {err}") from err
    keys = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if any(len(key) < KEY_LENGTH_MIN for key in keys):
        raise ValueError(f"--api-key-file {path}: a key needs {KEY_LENGTH_MIN} characters or more")
    return keys


Names = Annotated[list[str], NoDecode, BeforeValidator(_split)]
Keys = Annotated[list[SecretStr], NoDecode, BeforeValidator(_split)]


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
    decoder: str | None = Field(
        None,
        description="a faster decoder than the model's own: the hub id (such as "
        "madebyollin/taesd) or the folder of an AutoencoderTiny for the model's latents",
    )
    device: DeviceName = Field("auto", description="auto takes CUDA, then MPS, then the CPU")
    dtype: DtypeName = Field(
        "auto",
        description="auto takes float16 on CUDA and MPS (bfloat16 for transformers), bfloat16 on "
        "CPUs that compute it natively, else float32",
    )
    offload: bool = Field(
        False, description="keep on the GPU only the part of the model in use (slower, smaller)"
    )
    compile: bool = Field(
        True,
        description="on CUDA, compile the model for the sizes in use, in the background while "
        "pictures are drawn; --no-compile: do not",
    )
    pictures_at_once: int | None = Field(
        None,
        ge=1,
        description="most pictures that share a pass of the model; default: as many as fit a GPU, "
        "or are fastest on a CPU; with 1, and nothing compiled, a seed always gives the same bytes",
    )
    data_dir: Path = Field(
        default_factory=_user_data_dir,
        description="folder for finished pictures and videos, and for the journal of jobs",
    )
    max_queue: int = Field(64, ge=1, description="most image tasks that may wait")
    keep_days: float = Field(30, gt=0, description="days that results are kept")
    keep_gb: float = Field(
        20, gt=0, description="gigabytes of results that are kept, the oldest going first"
    )
    api_key: Keys = Field(
        default=[],
        description="a key that callers must show; repeat it for more keys, or put commas between",
    )
    api_key_file: Path | None = Field(None, description="a file of such keys, one a line")
    auth: bool = Field(
        True,
        description="ask for a key when listening beyond this machine; --no-auth: let anybody in",
    )
    allowed_hosts: Names = Field(
        default=[],
        description="Host headers to answer, with commas between; default: this machine's "
        "names when listening on loopback, else any",
    )
    cors_origins: Names = Field(
        default=[], description="origins, with commas between, whose pages may call from a browser"
    )
    log_level: LogLevel = Field("info", description="how much to log")
    log_json: bool = Field(False, description="log one JSON object a line, for programs")

    @field_validator("api_key")
    @classmethod
    def _are_long_enough(cls, keys: list[SecretStr]) -> list[SecretStr]:
        if any(len(key) < KEY_LENGTH_MIN for key in keys):
            raise ValueError(f"a key needs at least {KEY_LENGTH_MIN} characters")
        return keys

    @field_validator("data_dir")
    @classmethod
    def _at_home(cls, folder: Path) -> Path:
        return folder.expanduser()

    @model_validator(mode="after")
    def _is_not_left_open(self) -> Self:
        """Refuse to serve strangers by oversight.

        Raises:
            ValueError: it listens beyond this machine and asks for no key; or a key file is
                not to be read, or holds no key.
        """
        if self.api_key_file is not None and not _read_keys(self.api_key_file):
            raise ValueError(f"--api-key-file {self.api_key_file} holds no key")
        if self.auth and not (self.listens_on_loopback or self.keys()):
            raise ValueError(
                f"--host {self.host} can be reached from other machines: set --api-key or "
                "--api-key-file, or say --no-auth if anybody may come in"
            )
        return self

    def keys(self) -> list[str]:
        """Every key that opens the service; none: it is open."""
        own = [key.get_secret_value() for key in self.api_key]
        return own + ([] if self.api_key_file is None else _read_keys(self.api_key_file))

    @property
    def listens_on_loopback(self) -> bool:
        return self.host in {"127.0.0.1", "localhost", "::1"}
