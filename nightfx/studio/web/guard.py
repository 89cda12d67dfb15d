"""Who may speak with the studio: a browser on this machine that was given the token, on a page of our own, and nobody else.

A token stands in the address once; then a cookie that no script reads says who asks. `Host` must be ours, or a name that was
made to point here would speak for us, and so must be `Origin`, where there is one.
"""

from __future__ import annotations

import secrets
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST_BYTES = 64 << 10  # of what a page says at once
_POLICY = "; ".join(
    [
        *("default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"),
        *("img-src 'self' blob:", "media-src 'self' blob:", "base-uri 'none'"),
        *("form-action 'none'", "frame-ancestors 'none'"),
    ]
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}


class Guard:
    """Lets through to `app` what comes from a page of ours; all else gets a line of why not."""

    def __init__(self, app: ASGIApp, port: int, token: str | None = None) -> None:
        self._app, self._port = app, port
        self.token = token or secrets.token_urlsafe(24)
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._cookie, self._key = f"nightfx_studio_{port}", secrets.token_urlsafe(32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        answer = self._refused(scope)
        app = answer or self._app
        await app(scope, _limited(receive), _armoured(send))

    def _refused(self, scope: Scope) -> Response | None:
        """What is answered in place of the app, if anything."""
        headers = Headers(scope=scope)
        if headers.get("host") not in self._hosts:
            return _no(421, "this is not the address of the studio")
        origin = headers.get("origin")
        if origin is not None and origin not in {f"http://{host}" for host in self._hosts}:
            return _no(403, "a page of somebody else asks")
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit():
            return _no(400, "how much is said is no number")
        if int(length[:20]) > _MOST_BYTES:
            return _no(413, f"more than {_MOST_BYTES >> 10} KiB are said at once")
        if self._is_known(headers):
            return None
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["path"] != "/" or not secrets.compare_digest(given.encode(), self.token.encode()):
            return _no(403, "open the address that `nightfx studio` printed")
        welcome = RedirectResponse("/", status_code=303)
        welcome.set_cookie(self._cookie, self._key, httponly=True, samesite="strict")
        return welcome

    def _is_known(self, headers: Headers) -> bool:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(self._cookie)
        except CookieError:
            return False
        given = cookie.value if cookie else ""
        return secrets.compare_digest(given.encode(), self._key.encode())


def _no(code: int, words: str) -> Response:
    return JSONResponse({"error": words}, status_code=code)


def _limited(receive: Receive) -> Receive:
    """Ends what goes on for too long without having said how long it is."""
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > _MOST_BYTES:
            return {"type": "http.disconnect"}
        return message

    return limited


def _armoured(send: Send) -> Send:
    async def armoured(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return armoured
