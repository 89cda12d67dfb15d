"""The pages' questions and what the studio answers: JSON, pictures, and files of renders. Errors are JSON with the message."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from nightfx.errors import NightfxError, RetryError, UsageError
from nightfx.studio.desk import Desk
from nightfx.studio.lanes import SupersededError
from nightfx.studio.studio import Studio
from nightfx.studio.web.controls import controls, presets_told
from nightfx.studio.web.told import lights_told, loop_told, shot_told, work_told

_log = logging.getLogger(__name__)
_PAGE = Path(__file__).with_name("page")
_MOST_HEIGHT = 4320
_FRAME, _SCOPES, _FULL, _STRIP = 0, 1, 2, 3  # urgencies
_REPORT_POLICY = (
    "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; sandbox"
)


def make_app(studio: Studio) -> Starlette:
    """Return the app of a studio, to be put behind a `Guard`."""
    pages = Pages(studio)
    one = "/api/shots/{shot:int}"
    routes = [
        Route("/", pages.index),
        Mount("/page", StaticFiles(directory=_PAGE)),
        Route("/api/studio", pages.studio),
        Route("/api/states", pages.states),
        Route(one, pages.shot),
        Route(f"{one}/plate", pages.plate),
        Route(f"{one}/render", pages.render),
        Route(f"{one}/scopes", pages.scopes),
        Route(f"{one}/sky", pages.sky),
        Route(f"{one}/lights", pages.lights),
        Route(f"{one}/edit", pages.edit, methods=["POST"]),
        Route(f"{one}/step", pages.step, methods=["POST"]),
        Route(f"{one}/loop", pages.begin_loop, methods=["POST"]),
        Route(f"{one}/loop.mp4", pages.loop),
        Route(f"{one}/result", pages.result),
        Route("/api/copy", pages.copy, methods=["POST"]),
        Route("/api/render", pages.begin, methods=["POST"]),
        Route("/api/stop", pages.stop, methods=["POST"]),
        Route("/api/work", pages.work),
        Route("/api/report", pages.report),
    ]
    wrong = {
        Exception: _surprise,
        NightfxError: _told,
        HTTPException: _told,
        SupersededError: _superseded,
    }
    return Starlette(routes=routes, exception_handlers={**wrong, ClientDisconnect: _superseded})


class Pages:
    """Answers of a studio."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    async def index(self, request: Request) -> Response:
        """The page itself."""
        return FileResponse(_PAGE / "index.html")

    async def studio(self, request: Request) -> Response:
        """What does not change: the shots, what is turned, the presets."""
        folder = self._studio.folder
        shots = [{"key": shot.key} for shot in self._studio.shots]
        told = {"root": str(folder.root), "out": str(folder.out), "shots": shots}
        return JSONResponse(told | {"controls": controls(), "presets": presets_told()})

    async def states(self, request: Request) -> Response:
        """What is known of each shot."""
        return JSONResponse(await run_in_threadpool(self._studio.states))

    async def shot(self, request: Request) -> Response:
        """A shot as it is now."""
        desk, number = await self._desk(request), _whole(request, "number", -1)
        return JSONResponse(await run_in_threadpool(shot_told, self._studio, desk, number))

    async def plate(self, request: Request) -> Response:
        """A frame as it was taken, JPEG."""
        desk, number, height = await self._place(request)

        def draw() -> bytes:
            from nightfx.studio.web.pictures import jpeg_of

            picked = desk.frames.at(number, height)
            return jpeg_of(picked, picked.frame)

        lane, urgency = _lane(request, "plate"), _STRIP if height and height < 200 else _FRAME
        return _picture(await _wait(self._studio.plates.ask(lane, urgency, draw)), "image/jpeg")

    async def render(self, request: Request) -> Response:
        """A frame under light, JPEG."""
        desk, number, height = await self._place(request)
        over = _over(request)

        def draw() -> bytes:
            from nightfx.studio.web.pictures import jpeg_of

            lit = self._studio.light(desk, number, height, over)
            return jpeg_of(desk.frames.at(number, height), lit.frame)

        small = height is not None and height < 200
        urgency = _STRIP if small else _FULL if height is None else _FRAME
        asked = self._studio.lights.ask(_lane(request, "render"), urgency, draw)
        return _picture(await _wait(asked), "image/jpeg")

    async def scopes(self, request: Request) -> Response:
        """The scopes of a frame, PNG."""
        desk, number, height = await self._place(request)
        over, is_plate = _over(request), request.query_params.get("of") == "plate"

        def draw() -> bytes:
            from nightfx.studio.web.pictures import scopes_of

            picked = desk.frames.at(number, height)
            frame = picked.frame
            return scopes_of(
                picked,
                frame if is_plate else self._studio.light(desk, number, height, over).frame,
            )

        asked = self._studio.lights.ask(_lane(request, "scopes"), _SCOPES, draw)
        return _picture(await _wait(asked), "image/png")

    async def sky(self, request: Request) -> Response:
        """Where the sky is, PNG."""
        desk, number, height = await self._place(request)
        over = _over(request)

        def draw() -> bytes:
            from nightfx.studio.web.pictures import sky_of

            lit = self._studio.light(desk, number, height, over)
            if lit.sky is None:
                raise UsageError("no sky is looked for: the look leaves skies alone (turn sky up)")
            return sky_of(desk.frames.at(number, height), lit.sky)

        asked = self._studio.lights.ask(_lane(request, "sky"), _SCOPES, draw)
        return _picture(await _wait(asked), "image/png")

    async def lights(self, request: Request) -> Response:
        """The lights of a frame."""
        desk, number = await self._desk(request), _whole(request, "number", -1)
        over = _over(request)
        return JSONResponse(await run_in_threadpool(lights_told, self._studio, desk, number, over))

    async def edit(self, request: Request) -> Response:
        """Make one change."""
        desk, said = await self._desk(request), await _said(request)
        match said:
            case {"revision": int(revision), "edit": dict(edit)}:
                await run_in_threadpool(desk.edit, edit, revision)
            case _:
                raise UsageError("a change is a revision and an edit")
        return await self.shot(request)

    async def step(self, request: Request) -> Response:
        """Undo or redo."""
        desk, said = await self._desk(request), await _said(request)
        step = said.get("step")
        if step not in (-1, 1):
            raise UsageError("a step is -1 or 1")
        await run_in_threadpool(desk.step, step)
        return await self.shot(request)

    async def copy(self, request: Request) -> Response:
        """Give the look of a shot to others."""
        said = await _said(request)
        match said:
            case {"from": int(first), "to": list(others)} if all(type(n) is int for n in others):
                look = (await run_in_threadpool(self._studio.desk, first)).now
            case _:
                raise UsageError("a look is copied from a shot to others, by their numbers")
        for number in [n for n in others if n != first]:
            desk = await run_in_threadpool(self._studio.desk, number)
            await run_in_threadpool(desk.take_look, look)
        return JSONResponse({"copied": len(others)})

    async def begin(self, request: Request) -> Response:
        """Begin to render shots."""
        said = await _said(request)
        match said:
            case {"shots": list(numbers)} if all(type(n) is int for n in numbers):
                await run_in_threadpool(self._studio.render, numbers)
            case _:
                raise UsageError("shots are rendered by their numbers")
        return await self.work(request)

    async def stop(self, request: Request) -> Response:
        """Stop the render."""
        self._studio.stop()
        return await self.work(request)

    async def work(self, request: Request) -> Response:
        """How the render goes."""
        told = work_told(self._studio)
        return JSONResponse(told | {"loop": loop_told(self._studio, _whole(request, "shot", -1))})

    async def begin_loop(self, request: Request) -> Response:
        """Begin to render a part to be played."""
        said, number = await _said(request), request.path_params["shot"]
        match said:
            case {"first": int(first), "last": int(last)}:
                await run_in_threadpool(self._studio.begin_loop, number, (first, last))
            case _:
                raise UsageError("a loop has a first and a last frame")
        return JSONResponse(loop_told(self._studio, number))

    async def loop(self, request: Request) -> Response:
        """The part that was rendered, MP4."""
        loop = self._studio.loop(request.path_params["shot"])
        if loop is None or loop.code != 0:
            raise HTTPException(404, "nothing is rendered to be played")
        return FileResponse(loop.target, media_type="video/mp4")

    async def report(self, request: Request) -> Response:
        """What the last render reported: a page without a script, which needs its own policy."""
        report = self._studio.folder.out / "report.html"
        if not report.is_file():
            raise HTTPException(404, "nothing was rendered yet")
        return FileResponse(report, headers={"content-security-policy": _REPORT_POLICY})

    async def result(self, request: Request) -> Response:
        """The render of a shot."""
        desk = await self._desk(request)
        target = await run_in_threadpool(self._studio.target_of, desk)
        if target is None or not target.is_file():
            raise HTTPException(404, "the shot is not rendered as it is now, to one file")
        return FileResponse(target, filename=target.name, content_disposition_type="inline")

    async def _desk(self, request: Request) -> Desk:
        return await run_in_threadpool(self._studio.desk, request.path_params["shot"])

    async def _place(self, request: Request) -> tuple[Desk, int, int | None]:
        height = _whole(request, "height", 0)
        if not 0 <= height <= _MOST_HEIGHT:
            raise UsageError(f"height must be from 0 to {_MOST_HEIGHT}, got {height}")
        desk = await self._desk(request)
        return (
            desk,
            _whole(request, "number", desk.frames.first),
            max(height, 16) if height else None,
        )


def _whole(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    try:
        return int(text)
    except ValueError as error:
        raise UsageError(f"{name} must be a whole number, got {text!r:.40}") from error


def _over(request: Request) -> Mapping[str, Any]:
    """What a page tries out and has not said yet."""
    return _table(request.query_params.get("over", "{}"))


async def _said(request: Request) -> Mapping[str, Any]:
    return _table((await request.body()).decode("utf-8", "replace"))


def _table(text: str) -> Mapping[str, Any]:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"is no JSON: {error}") from error
    if not isinstance(said, dict):
        raise UsageError("is no object of JSON")
    return said


def _lane(request: Request, kind: str) -> str:
    """Where a picture waits: a newer one for the same place of the same page takes its turn."""
    return f"{kind} {request.query_params.get('lane', '')[:80]}"


async def _wait(future: Any) -> Any:
    return await asyncio.wrap_future(future)


def _picture(data: bytes, kind: str) -> Response:
    return Response(data, media_type=kind)


async def _told(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        return JSONResponse({"error": error.detail}, status_code=error.status_code)
    code = 409 if isinstance(error, RetryError) else 400 if isinstance(error, UsageError) else 422
    return JSONResponse({"error": str(error)}, status_code=code)


async def _surprise(request: Request, error: Exception) -> Response:
    words = f"{type(error).__name__}: {error}"
    _log.error("%s: %s", request.url.path, words)
    return JSONResponse({"error": f"{words} (a fault of nightfx)"}, status_code=500)


async def _superseded(request: Request, error: Exception) -> Response:
    return Response(status_code=204)
