"""What a studio stands: ten thousand requests, clients that never read, WebSockets; and how it is afterwards.

    python -m bench.storm [--clip examples/street.mp4] [--requests 10000] [--clients 8]

A real server in a process of its own. Half of the requests want a frame as it was taken, every tenth one that is not there; beside
them thirty clients ask for pictures and never read the answers, and WebSockets are asked for, which do not exist. A row says
how fast a question is answered before, meanwhile and afterwards, and what memory, threads and files the server holds.
"""

from __future__ import annotations

import argparse
import http.client
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

_DEAF = 30  # clients that never read
_WEBSOCKET = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: c3R1ZGlvc3R1ZGlvMTIzNA==\r\n"
)


class Server(NamedTuple):
    """A studio that serves."""

    pid: int
    port: int
    cookie: str


def main() -> None:
    """Ask, be rude, ask again; print a row for each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clip", type=Path, default=Path("examples/street.mp4"))
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=8)
    args = parser.parse_args()
    with TemporaryDirectory() as folder, serving(args.clip, Path(folder)) as server:
        _tell(server, "before", asked(server, 100))
        with ExitStack() as deaf:
            for number in range(_DEAF):
                deaf.enter_context(_never_reads(server, number))
            began = time.perf_counter()
            with ThreadPoolExecutor(args.clients) as pool:
                each = args.requests // args.clients
                found = list(pool.map(lambda _: asked(server, each), range(args.clients)))
            seconds = time.perf_counter() - began
            _tell(server, "meanwhile", [one for some in found for one in some])
        print(f"{args.requests:,} requests in {seconds:.1f} s, {_DEAF} clients never read")
        time.sleep(6)  # connections that are idle are closed
        _tell(server, "afterwards", asked(server, 100))


@contextmanager
def serving(clip: Path, folder: Path) -> Iterator[Server]:
    """A studio with a copy of a clip, and a cookie for it."""
    words = [sys.executable, "-m", "nightfx", "studio", shutil.copy(clip, folder), "--no-browser"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        port, token = int(address.split(":")[2].split("/")[0]), address.split("=")[1]
        try:
            there = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            there.request("GET", f"/?token={token}")
            cookie = there.getresponse().headers["set-cookie"].split(";")[0]
            yield Server(process.pid, port, cookie)
        finally:
            process.terminate()


def asked(server: Server, count: int) -> list[tuple[int, float]]:
    """The code and the milliseconds of so many questions over one connection."""
    there = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    found = []
    for number in range(count):
        place = 1001 + number % 84 if number % 10 else 9999
        path = f"/api/shots/0/plate?number={place}&height=90" if number % 2 == 0 else "/api/work"
        path = f"{path}&lane={threading.get_ident()}" if "?" in path else path
        began = time.perf_counter()
        there.request("GET", path, headers={"cookie": server.cookie})
        reply = there.getresponse()
        reply.read()
        found.append((reply.status, 1000 * (time.perf_counter() - began)))
        if reply.will_close:
            there.close()
    there.close()
    return found


@contextmanager
def _never_reads(server: Server, number: int) -> Iterator[None]:
    """A client that asks for pictures, or every third time for a WebSocket, and reads nothing."""
    with socket.create_connection(("127.0.0.1", server.port)) as there:
        there.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        head = f"Host: 127.0.0.1:{server.port}\r\nCookie: {server.cookie}\r\n"
        more = _WEBSOCKET if number % 3 == 0 else ""
        words = f"GET /api/shots/0/plate?lane={number} HTTP/1.1\r\n{head}{more}\r\n"
        there.sendall(words.encode() * (1 if more else 5))
        yield


def _tell(server: Server, when: str, found: list[tuple[int, float]]) -> None:
    times = sorted(milliseconds for _, milliseconds in found)
    facts = Path(f"/proc/{server.pid}/status").read_text().splitlines()
    held = {line.split(":")[0]: line.split()[1] for line in facts if line.split()[1:]}
    files = len(list(Path(f"/proc/{server.pid}/fd").iterdir()))
    codes = ", ".join(f"{n} × {code}" for code, n in sorted(Counter(c for c, _ in found).items()))
    print(
        f"{when:11} {statistics.median(times):7.1f} ms, 99 % below {times[len(times) * 99 // 100]:7.1f} ms;"
        f" {int(held['VmRSS']) >> 10} MiB, {held['Threads']} threads, {files} files; {codes}",
        flush=True,
    )


if __name__ == "__main__":
    main()
