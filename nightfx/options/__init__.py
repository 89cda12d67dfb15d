"""The options: each is written once, for the command line, files, manifests and Python."""

from nightfx.options.encode import (
    QUALITY_FAMILIES,
    Codec,
    CodecChoice,
    EncodeOptions,
    Family,
    Speed,
)
from nightfx.options.engine import EngineOptions
from nightfx.options.field import FieldOptions
from nightfx.options.job import JobOptions
from nightfx.options.light import (
    BACKEND_NEEDS,
    MULTIPLE_PX,
    Backend,
    DeviceName,
    LightOptions,
    Method,
    TilePx,
    has_driver,
)
from nightfx.options.look import Look, Moment, read_look
from nightfx.options.night_sky import Moonlight, NightSky, check_moonlight, check_sky
from nightfx.options.prepare import Crop, PrepareOptions, Repeats
from nightfx.options.preset_lights import Kelvins, LightTable, check_lights
from nightfx.options.render import GROUPS, RenderOptions, all_options, find_option
from nightfx.options.reproduce import ReproduceOptions
from nightfx.options.settings_file import read_settings
from nightfx.options.source import MAX_PIXELS, Missing, Scan, SourceOptions, rate_from
from nightfx.options.train import (
    DistilledSize,
    DistilOptions,
    PairedOptions,
    PictureOptions,
    RecipeOptions,
    SceneTrainOptions,
)

__all__ = [
    "BACKEND_NEEDS",
    "GROUPS",
    "MAX_PIXELS",
    "MULTIPLE_PX",
    "QUALITY_FAMILIES",
    "Backend",
    "Codec",
    "CodecChoice",
    "Crop",
    "DeviceName",
    "DistilOptions",
    "DistilledSize",
    "EncodeOptions",
    "EngineOptions",
    "Family",
    "FieldOptions",
    "JobOptions",
    "Kelvins",
    "LightOptions",
    "LightTable",
    "Look",
    "Method",
    "Missing",
    "Moment",
    "Moonlight",
    "NightSky",
    "PairedOptions",
    "PictureOptions",
    "PrepareOptions",
    "RecipeOptions",
    "RenderOptions",
    "Repeats",
    "ReproduceOptions",
    "Scan",
    "SceneTrainOptions",
    "SourceOptions",
    "Speed",
    "TilePx",
    "all_options",
    "check_lights",
    "check_moonlight",
    "check_sky",
    "find_option",
    "has_driver",
    "rate_from",
    "read_look",
    "read_settings",
]
