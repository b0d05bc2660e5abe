"""One fetch's talk with a source: proof, rate, tries, and the source's own errors."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from access.rate_limit import RateLimit
from collectors.http_json.answers import decode, error_code, source_words
from collectors.http_json.authorisation import Authorisation, Proof
from collectors.http_json.calling import LONGEST_WAIT_S, Call, Passing, http_faults, send
from collectors.http_json.options import Options
from collectors.shared.json_reading import read_json
from metrics.observations import SourceFault


@dataclass(frozen=True)
class Answer:
    """What a source said: the exact text, and its JSON."""

    text: str
    document: Any


class Session:
    """The calls of one fetch over one client; the rate limit and the authorisation outlive it."""

    def __init__(
        self,
        options: Options,
        base_url: str,
        client: httpx.AsyncClient,
        rate: RateLimit,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`sleep`: waits so many seconds, between tries and for the rate."""
        self._options = options
        self._base_url = base_url.rstrip("/")
        self._client = client
        self._rate = rate
        self._sleep = sleep
        self._bytes = 0

    async def ask(self, call: Call, authorisation: Authorisation) -> Answer:
        """Make a call with its proof; a renewable proof that is refused is renewed once."""
        for chances in (1, 0):
            proof = await authorisation.proof(self._token)
            try:
                return await self._try(call, proof, authorisation)
            except SourceFault as fault:
                if not (chances and fault.code == "unauthorised" and authorisation.renewable):
                    raise
                authorisation.forget()
        raise AssertionError("the last chance returns or raises")

    async def _token(self, call: Call) -> Any:
        return (await self._try(call, Proof(), None)).document

    async def _try(self, call: Call, proof: Proof, authorisation: Authorisation | None) -> Answer:
        """Make a call until it succeeds, fails for good, or has used up its tries."""
        tries = AsyncRetrying(
            stop=stop_after_attempt(self._options.limits.tries),
            wait=self._wait,
            retry=retry_if_exception(_is_worth_a_try),
            sleep=self._sleep,
            reraise=True,
        )
        answer: Answer = await tries(self._once, call, proof, authorisation)
        return answer

    async def _once(self, call: Call, proof: Proof, authorisation: Authorisation | None) -> Answer:
        limits = self._options.limits
        wait = self._rate.reserve(limits.total_s)
        if wait is None:
            raise SourceFault("rate_limited", f"our own limit of {limits.calls_per_minute:g} calls a minute is used up")
        await self._sleep(wait)
        follow = self._options.redirects == "same_host"
        body, charset = await send(self._client, self._request(call, proof), limits.answer_bytes, follow)
        self._bytes += len(body)
        if self._bytes > limits.fetch_bytes:
            raise SourceFault("too_large", f"the answers of one fetch are larger than {limits.fetch_bytes} bytes")
        text = decode(body, charset)
        document = read_json(text)
        self._hear_errors(document, authorisation)
        return Answer(text, document)

    def _request(self, call: Call, proof: Proof) -> httpx.Request:
        with http_faults():
            return self._client.build_request(
                call.method,
                self._base_url + call.path,
                params={**call.params, **proof.params},
                headers={**call.headers, **proof.headers},
                json=call.json,
                data=call.form,
            )

    def _hear_errors(self, document: Any, authorisation: Authorisation | None) -> None:
        errors = self._options.errors
        code = error_code(document, errors)
        if errors is None or not code:
            return
        words = source_words(document, code, errors)
        if authorisation is not None and authorisation.is_expired(code):
            raise SourceFault("unauthorised", words, True)
        if code in errors.retry:
            raise Passing("rejected_by_source", words)
        raise SourceFault("rejected_by_source", words, code in errors.permanent)

    def _wait(self, state: RetryCallState) -> float:
        """Double the wait at each try, with jitter so that many windows do not come back in step."""
        fault = state.outcome.exception() if state.outcome else None
        asked = fault.retry_after_s if isinstance(fault, Passing) else 0.0
        longest = min(self._options.limits.wait_s * 2 ** (state.attempt_number - 1), LONGEST_WAIT_S)
        return asked + random.uniform(longest / 2, longest)  # noqa: S311 - jitter, not a secret


def _is_worth_a_try(error: BaseException) -> bool:
    return isinstance(error, Passing) and error.retry_after_s <= LONGEST_WAIT_S


def parameters(filled: Mapping[str, Any]) -> dict[str, str]:
    """Write query parameters as text, booleans as JSON writes them."""
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in filled.items()}
