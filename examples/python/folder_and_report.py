"""Render a folder of shots and hear what happens: a batch's events are lines of JSON.

python examples/python/folder_and_report.py SHOTS OUT
"""

import json
import subprocess
import sys
from pathlib import Path


def render_folder(shots: Path, out: Path) -> Path:
    """Render all of a folder, tell of each shot that is done or failed, and return the report."""
    command = ["nightfx", "batch", str(shots), "--out", str(out), "--to", "night", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as batch:
        assert batch.stdout is not None
        for line in batch.stdout:
            shot = json.loads(line)
            if shot.get("state") in ("done", "failed"):
                print(shot["state"], shot["shot"])
    if batch.returncode not in (0, 3):  # 3: some shots failed, the report says which
        sys.exit(batch.returncode)
    return out / "report.html"


if __name__ == "__main__":
    print(render_folder(Path(sys.argv[1]), Path(sys.argv[2])))
