"""What proves who asks: a secret from the environment, or a token that is fetched with one and renewed."""

import base64
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from collectors.http_json.calling import Call
from collectors.http_json.hidden_secrets import Secrets
from collectors.http_json.options import Auth, BasicAuth, HeaderAuth, NoAuth, QueryAuth, TokenAuth
from collectors.shared.record_fields import Unfit, getter
from metrics.observations import SourceFault

LONGEST_LIFE_S = 86_400.0


@dataclass(frozen=True)
class Proof:
    """What a call carries to be let in."""

    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


Exchange = Callable[[Call], Awaitable[Any]]
"""Makes a token's call and gives its answer as JSON."""


class Authorisation:
    """The proof of one source; keeps a token until shortly before it expires.

    Other clients of the same account may have fetched a newer token meanwhile, which ends ours early at some sources
    (WeChat's): so a refused token is forgotten and renewed once before the call fails.
    """

    def __init__(self, auth: Auth, secrets: Secrets, clock: Callable[[], float] = time.monotonic) -> None:
        self._auth = auth
        self._secrets = secrets
        self._clock = clock
        self._token = ""
        self._until = 0.0

    @property
    def renewable(self) -> bool:
        """Whether a refused call may be tried again with a new proof."""
        return isinstance(self._auth, TokenAuth)

    def is_expired(self, code: str) -> bool:
        """Whether an in-band error code says that the token is no longer good."""
        return isinstance(self._auth, TokenAuth) and code in self._auth.expired_codes

    def forget(self) -> None:
        """Drop the token; the next call fetches another."""
        self._token = ""

    async def proof(self, exchange: Exchange) -> Proof:
        """What the next call must carry; raises SourceFault where a secret or a token cannot be had."""
        match self._auth:
            case NoAuth():
                return Proof()
            case HeaderAuth(name=name, prefix=prefix, env=env):
                return Proof(headers={name: prefix + self._secrets.read(env)})
            case QueryAuth(name=name, env=env):
                return Proof(params={name: self._secrets.read(env)})
            case BasicAuth(user_env=user, password_env=password):
                pair = f"{self._secrets.read(user)}:{self._secrets.read(password)}"
                written = self._secrets.note(base64.b64encode(pair.encode()).decode())
                return Proof(headers={"Authorization": f"Basic {written}"})
            case TokenAuth(send_as=send_as, name=name, prefix=prefix) as auth:
                carried = {name: prefix + await self._fresh_token(auth, exchange)}
                return Proof(params=carried) if send_as == "query" else Proof(headers=carried)

    async def _fresh_token(self, auth: TokenAuth, exchange: Exchange) -> str:
        if not self._token or self._clock() >= self._until:
            secret = {name: self._secrets.read(env) for name, env in auth.secret_params.items()}
            told = auth.params | secret
            where = "query" if auth.method == "GET" else auth.body
            call = Call(
                auth.method,
                auth.path,
                params=told if where == "query" else {},
                json=told if where == "json" else None,
                form=told if where == "form" else None,
            )
            token, life_s = _read_token(auth, await exchange(call))
            self._token = self._secrets.note(token)
            self._until = self._clock() + max(life_s - auth.margin_s, life_s / 2)
        return self._token


def _read_token(auth: TokenAuth, answer: Any) -> tuple[str, float]:
    try:
        token, life = getter(auth.token)(answer), getter(auth.expires_in)(answer)
    except Unfit as unfit:
        raise SourceFault("unreadable", f"the token's answer names {unfit.column!r} more than once") from unfit
    if not isinstance(token, str) or not token.isprintable() or not token:
        raise SourceFault("unreadable", f"the token's answer has no text at {auth.token!r}")
    if isinstance(life, bool) or not isinstance(life, int | float) or not life > 0:
        raise SourceFault("unreadable", f"the token's answer has no number of seconds at {auth.expires_in!r}")
    return token, min(float(life), LONGEST_LIFE_S)
