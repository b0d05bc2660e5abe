"""How this installation runs: the environment (`WATCHFLOOR_*`) over defaults that need nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "WATCHFLOOR_"


class BadSetting(ValueError):
    """A setting that cannot be what it is, or that is missing; the message names its variable and never its value."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{PREFIX}{name.upper()} {reason}")


class Settings(BaseSettings):
    """Every switch of an installation; unset means the embedded default."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    role: Literal["all", "pipeline", "worker", "web"] = "all"
    """all: everything in one process; pipeline: collects, judges and publishes; worker: only collects, for a pipeline
    that it hears of by NATS; web: windows, streams, push endpoint."""
    config_dir: Path = ROOT / "config"
    home_dir: Path = ROOT / "var"
    host: str = "127.0.0.1"
    port: int = Field(default=8050, ge=0, le=65535)
    demo: bool = True
    demo_seed: int = 7
    demo_scale: float = Field(default=1.0, gt=0, le=20)
    valkey_url: SecretStr | None = None
    """None: start an embedded Valkey under the data folder; else `store/valkey/address.py` says what it may be."""
    facts_url: SecretStr | None = None
    """Where facts are kept, `postgresql://…` or `clickhouse://…`; None: DuckDB under the data folder."""
    state_url: SecretStr | None = None
    """Where users, cursors and cases are kept, `postgresql://…`; None: SQLite under the data folder."""
    nats_url: SecretStr | None = None
    """`nats://…`, several joined by commas: workers collect, told by JetStream; None: the pipeline collects itself."""
    nats_replicas: int = Field(default=3, ge=1, le=5)
    """On how many NATS servers the job queue is kept."""
    pseudonym_key: SecretStr | None = None
    """Key of the customer pseudonyms; None: one is made once and kept under the data folder, mode 0600."""
    session_key: SecretStr | None = None
    """Key that signs viewer sessions; None: as above."""
    access: str = Field(default="open", pattern="^(open|login)$")
    """open: everyone who reaches the address is a head-office viewer (loopback only); login: users sign in."""
    trusted_proxies: str = ""
    """Addresses or networks, joined by commas, of proxies whose X-Forwarded-For and -Proto are believed."""
    raw_days: int = Field(default=30, ge=1)
    """How long figures are kept as they arrived; after that by quarters of an hour, then by reporting days."""
    quarter_days: int = Field(default=400, ge=2)
    daily_years: int = Field(default=5, ge=2)
    payload_days: int = Field(default=7, ge=1)
    question_cells: int = Field(default=200_000, ge=1)
    """How many figures one question may ask for."""
    question_rows: int = Field(default=4_000_000_000, ge=1)
    """How many rows of the store may be read for one question, as far as can be told before."""
    publish_min_gap_s: float = Field(default=0.25, ge=0)
    log_level: str = "INFO"


def read_settings() -> Settings:
    """The environment; raises BadSetting naming the first variable that is wrong, or that the role lacks."""
    try:
        settings = Settings()
    except ValidationError as error:
        fault = error.errors()[0]
        raise BadSetting(".".join(str(part) for part in fault["loc"]), f"is wrong: {fault['msg']}") from None
    if settings.role != "all" and settings.demo:
        raise BadSetting("demo", "is on, and the simulated nation lives only where the role is all: set it to 0")
    for name, reason in _needs(settings):
        if getattr(settings, name) is None:
            raise BadSetting(name, f"is not set: {reason}")
    return settings


def _needs(settings: Settings) -> Iterator[tuple[str, str]]:
    """What a process must share with the others of its line-up, and why."""
    if settings.role == "web":
        yield "valkey_url", "a web process shows what the pipeline publishes there"
        if settings.access == "login":
            yield "state_url", "a web process with sign-in asks there who may come in"
            yield "session_key", "web processes must accept each other's sign-in"
    if settings.role == "worker":
        yield "nats_url", "a worker hears there which sources are due"
    if settings.nats_url is not None and settings.role in ("pipeline", "worker"):
        yield "valkey_url", "workers take there what was pushed, and the pipeline publishes there"
        yield "facts_url", "workers store there what the pipeline judges; a DuckDB file belongs to one process"
        yield "state_url", "cursors move there, and workers and the pipeline note there what they find"
        yield "pseudonym_key", "a customer must have the same pseudonym whoever counts him"
