"""Render one shot on two machines: a plan, its segments by whoever is free, and a join.

python examples/python/two_machines.py SHOT OUT      (here both machines are processes of this one)
"""

import subprocess
import sys
from pathlib import Path

import nightfx

MACHINES = 2


SHARE = """
import sys, nightfx
plan, machine, machines = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for number in nightfx.missing_segments(plan)[machine::machines]:
    nightfx.render_segment(plan, number)
"""
"""What each machine runs: its share of the segments that are missing. One that two render is the same twice."""


def render_on_two(shot: Path, out: Path) -> Path:
    """Plan a shot, render its segments in two processes, and join them."""
    plan = out.with_suffix(".plan.json")
    nightfx.plan_render(shot, plan, target=out, preset="night")
    command = [sys.executable, "-c", SHARE, str(plan)]
    machines = [subprocess.Popen([*command, str(i), str(MACHINES)]) for i in range(MACHINES)]
    left = [machine.wait() for machine in machines]
    if any(left):
        sys.exit("a machine failed: what it rendered is kept, and the same command goes on")
    return nightfx.join_plan(plan)


if __name__ == "__main__":
    print(render_on_two(Path(sys.argv[1]), Path(sys.argv[2])))
