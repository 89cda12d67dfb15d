"""A change of light put on the plate."""

from nightfx.apply.change import Change, FieldChange, MapChange
from nightfx.apply.emitters import LitChange
from nightfx.apply.field import Field, full_size, relight
from nightfx.apply.finish import Finish, GroupShare, Steps, Written, light_plate, screened
from nightfx.apply.groups import REST, layers_of
from nightfx.apply.patches import Patch, Shape
from nightfx.apply.sky import SkyChange
from nightfx.apply.tangent import lit_signal, tangent
from nightfx.apply.working import is_direct, straight_rgb

__all__ = [
    "REST",
    "Change",
    "Field",
    "FieldChange",
    "Finish",
    "GroupShare",
    "LitChange",
    "MapChange",
    "Patch",
    "Shape",
    "SkyChange",
    "Steps",
    "Written",
    "full_size",
    "is_direct",
    "layers_of",
    "light_plate",
    "lit_signal",
    "relight",
    "screened",
    "straight_rgb",
    "tangent",
]
