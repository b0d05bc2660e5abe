"""What a channel's YAML may say under `options` of a source of kind `http_json`."""

from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from collectors.shared.record_map import Code, FieldPath, RecordMap, TimeForm
from config.catalogue import Identifier, Noun
from metrics.intervals import DAY_S

EnvironmentName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]
Scalar = str | int | float | bool
TOKENS = ("{start}", "{end}", "{last}", "{page}", "{offset}", "{cursor}")


def check_base_url(url: str) -> str:
    """Refuse an address that is not plain http(s)://host[:port][/path]; raises ValueError saying why."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is not an address such as https://host/path")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("an address must carry no user, password, query or fragment: use `auth` and `params`")
    return url


BaseUrl = Annotated[str, AfterValidator(check_base_url)]
UrlPath = Annotated[str, StringConstraints(pattern=r"^/[^?#\\\s]*$")]


class NoAuth(Noun):
    """An interface that asks for nothing."""

    by: Literal["none"] = "none"


class HeaderAuth(Noun):
    """A secret in a request header."""

    by: Literal["header"]
    name: str = "Authorization"
    prefix: str = ""
    """Written before the secret, such as `Bearer ` with its blank."""
    env: EnvironmentName


class QueryAuth(Noun):
    """A secret in the query string."""

    by: Literal["query"]
    name: str
    env: EnvironmentName


class BasicAuth(Noun):
    """User and password."""

    by: Literal["basic"]
    user_env: EnvironmentName
    password_env: EnvironmentName


class TokenAuth(Noun):
    """A token that is fetched with client id and secret, kept until shortly before it expires, renewed when refused."""

    by: Literal["token"]
    path: UrlPath
    """Path of the token interface under `base_url`."""
    method: Literal["GET", "POST"] = "GET"
    params: dict[str, Scalar] = Field(default_factory=dict)
    secret_params: dict[str, EnvironmentName] = Field(min_length=1)
    """Parameter -> environment variable that holds its value; in the query (GET) or the body (POST)."""
    body: Literal["json", "form"] = "json"
    """Form of a POST's body; OAuth 2 asks for `form`."""
    token: FieldPath = "access_token"
    expires_in: FieldPath = "expires_in"
    margin_s: float = Field(default=300, ge=0)
    """Renew this long before the token expires."""
    send_as: Literal["query", "header"] = "query"
    name: str = "access_token"
    prefix: str = ""
    expired_codes: tuple[Code, ...] = ()
    """In-band error codes that mean the token is no longer good, such as WeChat's 40001 and 42001."""


Auth = Annotated[NoAuth | HeaderAuth | QueryAuth | BasicAuth | TokenAuth, Field(discriminator="by")]


class InBandErrors(Noun):
    """Errors that arrive with status 200."""

    code: FieldPath
    words: FieldPath | None = None
    """Field with the source's own words."""
    ok: tuple[Code, ...] = ("0", "")
    """Codes that mean success; a missing code is ''."""
    retry: tuple[Code, ...] = ()
    """Codes worth asking again at once, such as WeChat's -1 (system busy)."""
    permanent: tuple[Code, ...] = ()
    """Codes that asking again will not help."""


class Paging(Noun):
    """How an answer goes on; the next page is asked with the tokens {page}, {offset} or {cursor}."""

    by: Literal["page", "offset", "cursor"]
    first: int = Field(default=1, ge=0)
    """Number of the first page."""
    size: int = Field(default=100, ge=1)
    """Records of a full page: a shorter one is the last (page and offset)."""
    next: FieldPath | None = None
    """Where the answer names the next cursor; missing, null or empty ends the paging."""
    max_pages: int = Field(default=50, ge=1, le=10_000)
    """More than this is a fault: a window is read whole or not at all."""

    @model_validator(mode="after")
    def _cursor_has_next(self) -> Self:
        if (self.by == "cursor") != (self.next is not None):
            raise ValueError("paging by cursor, and only that, needs `next`")
        return self


class Request(Noun):
    """One call of a poll and what its records mean."""

    id: Identifier
    path: str = Field(pattern=r"^/[^?#\\\s]*$")
    """Under `base_url`; may hold tokens."""
    method: Literal["GET", "POST"] = "GET"
    params: dict[str, Scalar] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    body: dict[str, Any] | None = None
    """JSON body; a text that is one token alone takes the token's own type."""
    times: TimeForm = TimeForm()
    """How {start}, {end} (exclusive) and {last} (end less one second, for sources that include it) are written."""
    paging: Paging | None = None
    records: FieldPath
    """JSONPath that yields the records."""
    map: RecordMap


class Windows(Noun):
    """How much time is asked for at once, and how far back a gap is filled after an outage."""

    slice_s: int = Field(default=86_400, gt=0)
    """Longest window of one call, a length that divides a day; cut where such intervals begin, counted from local
    midnight, so 86400 never spans two days."""
    per_fetch: int = Field(default=4, ge=1, le=1000)
    """Slices of one fetch; when more are due the payload says so and the turn comes again."""
    reach_back_s: int = Field(default=7 * 86_400, gt=0)
    """Gaps older than this are given up (the source has forgotten them); completeness shows the hole."""

    @field_validator("slice_s")
    @classmethod
    def _divides_a_day(cls, slice_s: int) -> int:
        if DAY_S % slice_s:
            raise ValueError(f"{slice_s} s does not divide a day")
        return slice_s


class Limits(Noun):
    """What a source may cost: seconds, bytes, tries and calls."""

    connect_s: float = Field(default=5, gt=0)
    read_s: float = Field(default=15, gt=0)
    total_s: float = Field(default=60, gt=0)
    """The whole fetch, with retries and waits for the rate limit."""
    answer_bytes: int = Field(default=16 * 1024 * 1024, gt=0)
    """Largest answer, counted after decompression."""
    fetch_bytes: int = Field(default=64 * 1024 * 1024, gt=0)
    """All answers of one fetch together."""
    tries: int = Field(default=3, ge=1, le=10)
    wait_s: float = Field(default=0.5, ge=0)
    """First wait between tries; doubles, with jitter, at most 30 s; Retry-After is honoured."""
    calls_per_minute: float = Field(default=60, gt=0)


class Options(Noun):
    """A JSON interface over HTTP(S)."""

    base_url: BaseUrl
    base_url_env: EnvironmentName | None = None
    """Environment variable that names another base address, where it is set."""
    auth: Auth = NoAuth()
    errors: InBandErrors | None = None
    requests: tuple[Request, ...] = Field(min_length=1)
    personal: tuple[str, ...] = ()
    """Keys at any depth of an answer whose values name a person or are a person's words: not kept as they are."""
    windows: Windows = Windows()
    limits: Limits = Limits()
    redirects: Literal["refuse", "same_host"] = "refuse"
    ca_file: str | None = None
    """PEM file of a private certificate authority; certificates are always checked."""
    proxy_env: EnvironmentName | None = None
    """Environment variable with the address of an outgoing proxy; the usual proxy variables are not read."""

    @model_validator(mode="after")
    def _one_kind_of_time(self) -> Self:
        if len({request.map.time.instant for request in self.requests}) > 1:
            raise ValueError("requests for levels of now and requests for windows are two sources: split them")
        if len({request.map.contact is None for request in self.requests}) > 1:
            raise ValueError("requests for counts and requests for contacts are two sources: split them")
        if len({request.id for request in self.requests}) < len(self.requests):
            raise ValueError("two requests have one id")
        return self
