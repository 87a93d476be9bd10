"""The HTTP API of tracking, asked by the command line."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from services.cli import endpoints
from services.cli.problems import MISCONFIGURED, TRY_AGAIN, UNAVAILABLE, USAGE, Problem
from services.runtime import settings

URL, TOKEN = "RELAIS_API_URL", "RELAIS_API_TOKEN"
CENTRAL, OPERATIONS = "central", "operations"
TOKENS = {CENTRAL: "api_token", OPERATIONS: "operations_token"}
"""What `./run up` calls the token of a role."""
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
SECONDS = 30.0
"""How long an answer may take."""
LARGEST_PAGE = 200

Json = dict[str, Any]


class NotValid(Problem):
    """What was asked for cannot be asked so."""


class Forbidden(Problem):
    """What was asked for is not for who asked."""


Parameters = Mapping[str, str | int | None]


@dataclass(frozen=True, slots=True)
class Address:
    """Where an API answers, and the token it lets us in by; origin is where both come from."""

    url: str
    token: str
    origin: str


def find(role: str = CENTRAL) -> Address:
    """The API to ask: that of the environment, else that of a running `./run up`.

    The latter has a token for each role that we need; the environment has the one there is.
    """
    url, token = settings.given(URL), settings.given(TOKEN)
    if url:
        if not token:
            raise Problem(f"{TOKEN} is not set, though {URL} is; {HOW_TOKEN}", MISCONFIGURED)
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
            raise Problem(f"{URL} must be http://host:port, not {url!r}", MISCONFIGURED)
        return Address(url.rstrip("/"), token, "the environment")
    for folder in (Path.cwd(), endpoints.PROJECT):
        if (written := folder / endpoints.WRITTEN).is_file():
            return _written(written, token, role)
    raise Problem(
        f"no API is known: start a stack with ./run up (it writes {endpoints.WRITTEN}), "
        f"or set {URL} and {TOKEN}",
        UNAVAILABLE,
    )


HOW_TOKEN = "`relais token add NAME --role ROLE` makes one where the databases are"


def _written(path: Path, token: str | None, role: str) -> Address:
    try:
        facts = json.loads(path.read_text())
        url, written = facts.get("http_url"), facts.get(TOKENS[role])
    except (OSError, ValueError, AttributeError) as error:
        raise endpoints.unreadable(path, error) from error
    if not url or not (token or written):
        raise Problem(
            f"{path} names no API; stop the stack with ./run down and start it again", UNAVAILABLE
        )
    return Address(url, token or written, str(path))


class Api:
    """An open connection to the API; raises Problem for whatever is wrong with an answer."""

    def __init__(self, client: httpx.AsyncClient, address: Address) -> None:
        self._client = client
        self._address = address

    async def get(self, path: str, **parameters: str | int | None) -> Json:
        """The answer to a GET; parameters that are None are left out."""
        given = {name: value for name, value in parameters.items() if value is not None}
        return self._read(await self._sent("GET", path, params=given))

    async def find(self, path: str) -> Json | None:
        """The same, None where there is no such thing."""
        answer = await self._sent("GET", path)
        return None if answer.status_code == httpx.codes.NOT_FOUND else self._read(answer)

    async def post(self, path: str, body: Any, *, wait: float | None = None) -> Json:
        """The answer to a POST; wait is how many seconds an outcome is waited for."""
        headers = {"Prefer": f"wait={wait:g}"} if wait else {}
        return self._read(await self._sent("POST", path, json=body, headers=headers))

    async def items(
        self, path: str, parameters: Parameters, limit: int | None
    ) -> AsyncIterator[Json]:
        """The items of a list, page after page; limit is how many at most, None is all."""
        left, cursor = limit, None
        while left is None or left > 0:
            size = min(left or LARGEST_PAGE, LARGEST_PAGE)
            page = await self.get(path, **parameters, limit=size, cursor=cursor)
            for item in page["items"]:
                yield item
            cursor = page["next"]
            left = None if left is None else left - len(page["items"])
            if cursor is None:
                return

    @asynccontextmanager
    async def stream(
        self, path: str, accept: str, **parameters: str
    ) -> AsyncIterator[httpx.Response]:
        """An answer that is read as it comes, for as long as it does."""
        request = self._client.build_request(
            "GET",
            path,
            params=parameters,
            headers={"Accept": accept},
            timeout=httpx.Timeout(SECONDS, read=60.0),
        )
        try:
            answer = await self._client.send(request, stream=True)
            try:
                if answer.is_error:
                    await answer.aread()
                    raise self._problem(answer)
                yield answer
            finally:
                await answer.aclose()
        except httpx.TransportError as error:
            raise self._away(error) from error

    async def _sent(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            return await self._client.request(method, path, **more)
        except httpx.TransportError as error:
            raise self._away(error) from error
        except (httpx.InvalidURL, ValueError) as error:
            raise Problem(f"{path!r} cannot be asked for: {error}", USAGE) from error

    def _read(self, answer: httpx.Response) -> Json:
        if answer.is_error:
            raise self._problem(answer)
        try:
            found: Json = answer.json()
        except ValueError as error:
            raise self._stranger(answer) from error
        return found

    def _away(self, error: Exception) -> Problem:
        where = self._address
        return Problem(
            f"no API answers at {where.url} ({str(error) or type(error).__name__}), "
            f"which {where.origin} names; start it with `relais serve` or ./run up",
            UNAVAILABLE,
        )

    def _stranger(self, answer: httpx.Response) -> Problem:
        return Problem(
            f"{self._address.url} answers {answer.status_code} without JSON: it is no API of "
            f"Relais; correct {URL}",
            MISCONFIGURED,
        )

    def _problem(self, answer: httpx.Response) -> Problem:
        try:
            body = answer.json()
            detail, errors = str(body["detail"]), body.get("errors") or []
        except (ValueError, KeyError, TypeError):
            return self._stranger(answer)
        status = answer.status_code
        if status == httpx.codes.UNAUTHORIZED:
            text = f"the API lets nobody in by this token: {detail}; {HOW_TOKEN}"
            return Problem(text, MISCONFIGURED)
        lines = [f"  {error['field']} {error['message']}" for error in errors]
        # Of what is not valid the detail is nothing but its errors.
        joined = "; ".join(line.strip() for line in lines)
        text = "\n".join(["not valid:" if detail == joined else detail, *lines])
        if status in (httpx.codes.UNPROCESSABLE_ENTITY, httpx.codes.BAD_REQUEST):
            return NotValid(text, USAGE)
        if status == httpx.codes.FORBIDDEN:
            return Forbidden(text)
        return Problem(text, _exit_code(status))


def _exit_code(status: int) -> int:
    match status:
        case httpx.codes.TOO_MANY_REQUESTS:
            return TRY_AGAIN
        case _ if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            return UNAVAILABLE
        case _:
            return 1


@asynccontextmanager
async def connected(role: str = CENTRAL) -> AsyncIterator[Api]:
    """The API that `find` names, while the block lasts."""
    address = find(role)
    headers = {"Authorization": f"Bearer {address.token}", "User-Agent": "relais"}
    try:
        client = httpx.AsyncClient(
            base_url=address.url,
            headers=headers,
            timeout=SECONDS,
            # No proxy of the environment stands before an API on this machine.
            trust_env=urlsplit(address.url).hostname not in LOOPBACK,
        )
    except (UnicodeError, httpx.InvalidURL) as error:
        raise Problem(f"{URL} or {TOKEN} cannot be used: {error}", MISCONFIGURED) from None
    async with client:
        yield Api(client, address)
