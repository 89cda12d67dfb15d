"""Fail on a skipped test that is not for a GPU, a browser, a C compiler or a host, and does not want data that the project cannot ship."""

import re
import sys
from pathlib import Path

ALLOWED = ("needs_cuda", "needs_browser", "needs_shared", "needs_compiler", "needs_host")

skips = re.findall(
    r"^SKIPPED .*$", Path(sys.argv[1]).read_text(encoding="utf-8"), flags=re.MULTILINE
)
wrong = [line for line in skips if not any(mark in line for mark in ALLOWED)]
print(f"{len(skips)} skips, {len(wrong)} of them not allowed")
sys.exit("\n".join(wrong) or 0)
