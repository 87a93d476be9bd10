"""A real OpenID provider on loopback, which also holds its clients to PKCE."""

import base64
import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from oidc_provider_mock import User, run_server_in_thread

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Any]


@dataclass
class Provider:
    """Where it is, and the people that it knows."""

    issuer: str
    server: Any
    challenges: dict[str, str] = field(default_factory=dict)
    tampered: Callable[[str, bytes], bytes] | None = None
    """Changes what an endpoint answers, as somebody on the way would."""

    def enroll(self, sub: str, **claims: object) -> None:
        """Let somebody sign in."""
        answer = httpx.put(f"{self.issuer}/users/{sub}", json=claims)
        assert answer.status_code == 204, answer.text

    async def sign_in(self, url: str, sub: str) -> str:
        """Sign somebody in at the provider; where the browser is sent back to."""
        async with httpx.AsyncClient() as browser:
            page = await browser.get(url)
            assert page.status_code == 200, page.text
            answer = await browser.post(url, data={"sub": sub})
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def wrapped(self, app: Wsgi) -> Wsgi:
        """The provider's own application behind its rule: no code without its verifier."""

        def serve(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
            path = environ["PATH_INFO"]
            if path == "/oauth2/authorize" and environ["REQUEST_METHOD"] == "POST":
                return self._authorize(app, environ, start)
            if path == "/oauth2/token" and not self._is_verified(environ):
                start("400 Bad Request", [("Content-Type", "application/json")])
                return [b'{"error": "invalid_grant", "error_description": "no verifier"}']
            return self._answer(app, environ, start)

        return serve

    def _authorize(self, app: Wsgi, environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        query = parse_qs(environ["QUERY_STRING"])
        (challenge,), (method,) = query["code_challenge"], query["code_challenge_method"]
        assert method == "S256"

        def started(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            back = dict(headers).get("Location", "")
            for code in parse_qs(urlsplit(back).query).get("code", []):
                self.challenges[code] = challenge
            return start(status, headers, *more)

        return app(environ, started)

    def _is_verified(self, environ: dict[str, Any]) -> bool:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = io.BytesIO(body)
        form = parse_qs(body.decode())
        digest = hashlib.sha256(form.get("code_verifier", [""])[0].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return self.challenges.pop(form["code"][0], None) == challenge

    def _answer(self, app: Wsgi, environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        if self.tampered is None:
            return app(environ, start)
        begun: list[Any] = []
        body = b"".join(app(environ, lambda *args: begun.append(args)))
        changed = self.tampered(environ["PATH_INFO"], body)
        status, headers, *_ = begun[0]
        kept = [(name, text) for name, text in headers if name.lower() != "content-length"]
        start(status, [*kept, ("Content-Length", str(len(changed)))])
        return [changed]


@contextmanager
def provider() -> Iterator[Provider]:
    """A provider while the block lasts."""
    with run_server_in_thread(user_claims=[User(sub="nobody")]) as server:
        made = Provider(f"http://localhost:{server.server_port}", server)
        server.app = made.wrapped(server.app)
        yield made
