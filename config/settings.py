"""How this installation runs: the environment (`WATCHFLOOR_*`) over defaults that need nothing."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Every switch of an installation; unset means the embedded default."""

    model_config = SettingsConfigDict(env_prefix="WATCHFLOOR_", frozen=True)

    config_dir: Path = ROOT / "config"
    home_dir: Path = ROOT / "var"
    host: str = "127.0.0.1"
    port: int = Field(default=8050, ge=0, le=65535)
    demo: bool = True
    demo_seed: int = 7
    demo_scale: float = Field(default=1.0, gt=0, le=20)
    valkey_url: SecretStr | None = None
    """None: start the wheel's own Valkey under the data folder."""
    state_url: SecretStr | None = None
    """SQLAlchemy URL of users, cursors and cases; None: SQLite under the data folder."""
    pseudonym_key: SecretStr | None = None
    """Key of the customer pseudonyms; None: one is made once and kept under the data folder, mode 0600."""
    session_key: SecretStr | None = None
    """Key that signs viewer sessions; None: as above."""
    access: str = Field(default="open", pattern="^(open|login)$")
    """open: everyone who reaches the address is a head-office viewer (loopback only); login: users sign in."""
    payload_days: int = Field(default=7, ge=1)
    publish_min_gap_s: float = Field(default=0.25, ge=0)
    log_level: str = "INFO"
