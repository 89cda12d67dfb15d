"""Bake a shot: its light, decided and steadied, for every frame in one file that any host can put on the plate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

import nightfx
from nightfx.ahead import prefetch
from nightfx.apply import Steps, Written, light_plate
from nightfx.baked import (
    BakedLight,
    BakeFacts,
    BakeWriter,
    LumaWeights,
    light_of_steps,
    track_sizes,
)
from nightfx.disk import partial_file
from nightfx.hosts.targets import check_bake
from nightfx.job import choices, pipeline
from nightfx.job.asked import complete_options
from nightfx.job.render_job import RenderJob, log_lines, log_notes, open_job
from nightfx.light import Lighting, light_frames
from nightfx.network import Preset, load_preset
from nightfx.options import RenderOptions
from nightfx.picture import BT709, PLAIN, Coding, Frame, matrix_of, to_rgb

KEY_EVERY = 8
_MEASURED_EVERY = 8  # frames, of which the bake is put on the plate too
_LEAST_ERROR = 1e-12


class BakeReport(NamedTuple):
    """What a bake is, and how near it comes to the render."""

    frames: int
    size_bytes: int
    least_db: float
    """Of the measured frames, the one that is farthest from the render."""
    mean_db: float


def bake(
    source: str | Path,
    target: str | Path,
    *,
    preset: str | Path | Preset = "night",
    options: RenderOptions | None = None,
    on_progress: pipeline.Progress | None = None,
) -> BakeReport:
    """Write the light of a clip or a sequence, as `render` would have it, to `target`, a .nfx.

    Returns how large it is and how near it comes. Raises a `NightfxError`; nothing is left under the target's name then.
    """
    asked = options or RenderOptions()
    chosen = preset if isinstance(preset, Preset) else load_preset(preset)
    target = Path(target)
    source = check_bake(Path(source), target, chosen, asked)
    complete_options(asked, chosen)
    beside = target.with_name(
        f".{target.stem}.mkv"
    )  # nothing is written there: a render has a name
    with open_job(source, beside, chosen, asked, again=True) as job:
        log_notes(source, log_lines(job.reader, job.options.source, job.encodings.source))
        pipeline.begin_preparing(on_progress)
        first = job.reader.number_at(job.options.source.start_seconds or 0)
        job = replace(job, first=first)
        lighting = choices.lighting_of(job, on_progress=on_progress)
        with partial_file(target) as part, part.open("wb") as out:
            made = _Baking(job, lighting, lambda facts: BakeWriter(out, facts))
            made.run(on_progress)
        log_notes(source, job.reader.notes)
        return made.report(target.stat().st_size)


class _Baking:
    """A shot on its way into a bake."""

    def __init__(
        self, job: RenderJob, lighting: Lighting, begin: Callable[[BakeFacts], BakeWriter]
    ) -> None:
        self._job, self._lighting, self._begin = job, lighting, begin
        self._writer: BakeWriter | None = None
        self._light: BakedLight | None = None
        self._cells = (0, 0)
        self._errors: list[float] = []
        self._count = 0

    def run(self, on_progress: pipeline.Progress | None) -> None:
        """Light all frames and write their light."""
        job = self._job
        written = Written(job.info.coding, PLAIN)
        plates: list[Frame] = []

        def keep(frame: Frame, steps: Steps) -> None:
            plates.append(frame)
            self._light = self._add(frame, light_of_steps(frame, steps))

        frames = prefetch(job.shot(), 1)
        try:
            for lit in light_frames(frames, self._lighting, written, job.mattes.beside(None, keep)):
                self._measure(plates.pop(), lit, written)
                self._count += 1
                if on_progress:
                    on_progress(self._count, job.total)
        finally:
            frames.close()
        if self._writer is None:
            job.first_frame()  # raises that there is none
        else:
            self._writer.finish()

    def report(self, size_bytes: int) -> BakeReport:
        """Say what came of it."""
        found = [-10 * np.log10(max(error, _LEAST_ERROR)) for error in self._errors]
        return BakeReport(self._count, size_bytes, float(min(found)), float(np.mean(found)))

    def _add(self, frame: Frame, light: BakedLight) -> BakedLight:
        if self._writer is None:
            ground = light.planes["ground"]
            self._cells = ground.shape[1], ground.shape[2]
            self._writer = self._begin(facts_of(self._job, self._lighting, frame, self._cells))
        return self._writer.add(light)

    def _measure(self, plate: Frame, lit: Frame, written: Written) -> None:
        if self._count % _MEASURED_EVERY or self._light is None:
            return
        change = self._light.change(plate, self._cells)
        baked = light_plate(plate, change, self._light.finish(self._lighting.seed), written)
        both = [to_rgb(frame).clip(0, 1) for frame in (lit, baked)]
        self._errors.append(float(np.square(both[0] - both[1]).mean()))


def facts_of(job: RenderJob, lighting: Lighting, frame: Frame, cells: tuple[int, int]) -> BakeFacts:
    """Return what the bake of a job is of."""
    plate_first = job.reader.number_at(0)
    info, alone = job.info, lighting.lamps is None and lighting.sky is None
    about = {
        "nightfx": nightfx.__version__,
        "plate": job.source.name,
        "timecode": info.timecode,
        "encoding": job.encodings.source.name,
        "preset": job.preset.name,
        "options": job.options.fingerprint(),
    }
    return BakeFacts(
        *(frame.width, frame.height, info.rate, job.first, 1, plate_first),
        *(job.reader.last_number() - plate_first + 1, cells, weights_of(frame.coding), KEY_EVERY),
        *(frame.rotation, about, track_sizes(cells, ground_alone=alone)),
    )


def weights_of(coding: Coding) -> LumaWeights:
    """Return what light is told by in the RGB of a plate of a coding."""
    if coding.matrix == "rgb":
        return LumaWeights(BT709, (0.0, 1.0, 0.0), 0.0, 1.0)
    matrix, zero = matrix_of(coding)
    scale = float(matrix[0].sum())
    luma = tuple(float(share) / scale for share in matrix[0])
    weights = luma[0], luma[1], luma[2]
    return LumaWeights(weights, weights, float(zero[0]) / coding.peak, scale / coding.peak)
