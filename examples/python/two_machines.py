"""Render one shot on two machines: a plan, its segments by whoever is free, and a join.

python examples/python/two_machines.py SHOT OUT      (here both machines are processes of this one)
"""

import multiprocessing
import sys
from pathlib import Path

import nightfx

MACHINES = 2


def render_share(plan: Path, machine: int) -> None:
    """Render every second segment that is missing; a segment that two render is the same twice."""
    for number in nightfx.missing_segments(plan)[machine::MACHINES]:
        nightfx.render_segment(plan, number)


def render_on_two(shot: Path, out: Path) -> Path:
    """Plan a shot, render its segments in two processes, and join them."""
    plan = out.with_suffix(".plan.json")
    nightfx.plan_render(shot, plan, target=out, preset="night")
    context = multiprocessing.get_context("spawn")
    machines = [context.Process(target=render_share, args=(plan, i)) for i in range(MACHINES)]
    for machine in machines:
        machine.start()
    for machine in machines:
        machine.join()
    return nightfx.join_plan(plan)


if __name__ == "__main__":
    print(render_on_two(Path(sys.argv[1]), Path(sys.argv[2])))
