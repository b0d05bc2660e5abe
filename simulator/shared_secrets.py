"""Names of the environment variables by which both sides, nation and collectors, know addresses and secrets."""

from collections.abc import Mapping
from dataclasses import dataclass

HTTP_PORT = 8051
"""Port of the HTTP interfaces where nothing else is said; the demo channels' YAML has it too."""
ADDRESS = "WATCHFLOOR_DEMO_HTTP"
"""Address of the HTTP interfaces where it is not http://127.0.0.1:8051."""
DATABASES = {"sms": "WATCHFLOOR_DEMO_SMS_URL", "email": "WATCHFLOOR_DEMO_EMAIL_URL"}
"""SQLAlchemy URLs of the two databases; unset: SQLite under the data folder."""

SECRET_NAMES = {
    "floor_key": "WATCHFLOOR_DEMO_FLOOR_KEY",
    "im_token": "WATCHFLOOR_DEMO_IM_TOKEN",
    "weibo_token": "WATCHFLOOR_DEMO_WEIBO_TOKEN",
    "wechat_appid": "WATCHFLOOR_DEMO_WECHAT_APPID",
    "wechat_secret": "WATCHFLOOR_DEMO_WECHAT_SECRET",
    "knowledge_key": "WATCHFLOOR_DEMO_KNOWLEDGE_KEY",
    "app_token": "WATCHFLOOR_TOKEN_APP",
    "shops_token": "WATCHFLOOR_TOKEN_SHOPS",
}
"""Field of `Secrets` -> the variable that holds it."""


@dataclass(frozen=True, repr=False)
class Secrets:
    """What callers must show, and what the nation shows at the push endpoint."""

    floor_key: str
    im_token: str
    weibo_token: str
    wechat_appid: str
    wechat_secret: str
    knowledge_key: str
    app_token: str
    shops_token: str


class SecretMissing(ValueError):
    """The environment lacks a secret; the message names all that are missing."""


def secrets_from(environment: Mapping[str, str]) -> Secrets:
    """Read the secrets; raises SecretMissing."""
    missing = [name for name in SECRET_NAMES.values() if not environment.get(name)]
    if missing:
        raise SecretMissing(f"set {', '.join(missing)}: the nation and its collectors share these secrets")
    return Secrets(**{field: environment[name] for field, name in SECRET_NAMES.items()})
