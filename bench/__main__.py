"""Run one of the measures: `python -m bench whole`, the same as `python -m bench.whole`; without a name, list them."""

from __future__ import annotations

import ast
import runpy
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    """Run the measure that is named first, with the arguments after it; returns 2 where there is none of the name."""
    known = {path.stem: path for path in sorted(HERE.glob("*.py")) if _is_measure(path)}
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name in known:
        sys.argv = [str(known[name]), *sys.argv[2:]]
        runpy.run_module(f"bench.{name}", run_name="__main__", alter_sys=True)
        return 0
    for each, path in known.items():
        print(
            f"{each:12} {(ast.get_docstring(ast.parse(path.read_text('utf-8'))) or '').splitlines()[0]}"
        )
    return 2


def _is_measure(path: Path) -> bool:
    return path.stem != "__main__" and '__name__ == "__main__"' in path.read_text("utf-8")


if __name__ == "__main__":
    sys.exit(main())
