"""A small API on a port of its own, that answers what a test tells it to."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN = "let-me-in"


@dataclass
class SmallApi:
    """Answers by path, several in turn where there are several; asked is what it was asked."""

    url: str
    answers: dict[str, list[Response]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)

    def answer(self, path: str, *bodies: Any) -> None:
        """What this path answers; the last one for ever."""
        found = [one if isinstance(one, Response) else JSONResponse(one) for one in bodies]
        self.answers[path] = found

    def problem(self, path: str, status: int, code: str, detail: str, **more: Any) -> None:
        """A problem that this path answers."""
        body = {"status": status, "code": code, "detail": detail, "errors": [], **more}
        answer = JSONResponse(body, status, media_type="application/problem+json")
        self.answers[path] = [answer]

    def page(self, path: str, items: list[Any], **more: Any) -> None:
        """A list with one page."""
        self.answer(path, page(items, **more))

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        raw = await request.body()
        told = json.loads(raw) if raw else None
        path = request.url.path
        self.asked.append((request.method, path, dict(request.query_params), told))
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            body = {"status": 401, "code": "unauthorized", "detail": "the token is nobody's"}
            return JSONResponse(body, 401)
        found = self.answers.get(path)
        if found is None:
            body = {"status": 404, "code": "not_found", "detail": f"there is no {path}"}
            return JSONResponse(body, 404)
        return found.pop(0) if len(found) > 1 else found[0]


def page(items: list[Any], next: str | None = None, **counts: int) -> dict[str, Any]:
    """A page of a list."""
    return {"items": items, "next": next, "prev": None, "counts": counts, "as_of": None}


@asynccontextmanager
async def serving() -> AsyncIterator[SmallApi]:
    """A small API while the block lasts."""
    door = socket.create_server(("127.0.0.1", 0))
    small = SmallApi(f"http://127.0.0.1:{door.getsockname()[1]}")
    app = Starlette(routes=[Route("/{path:path}", small.handle, methods=["GET", "POST", "DELETE"])])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server._serve([door]))
    try:
        yield small
    finally:
        server.should_exit = True
        await serving
