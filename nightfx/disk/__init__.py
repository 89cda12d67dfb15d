"""Files that are complete or not there, typed JSON, and where a user's own lie."""

from nightfx.disk.json_files import from_json_types, load_json, save_json, to_json_types, to_line
from nightfx.disk.partial import (
    MOST_NAME_BYTES,
    check_folder,
    check_folder_name,
    check_free,
    check_kind,
    hidden_path,
    make_folder_of,
    partial_file,
    partial_folder,
    translated,
)
from nightfx.disk.places import CONFIG_VARIABLE, config_file, own_presets

__all__ = [
    "CONFIG_VARIABLE",
    "MOST_NAME_BYTES",
    "check_folder",
    "check_folder_name",
    "check_free",
    "check_kind",
    "config_file",
    "from_json_types",
    "hidden_path",
    "load_json",
    "make_folder_of",
    "own_presets",
    "partial_file",
    "partial_folder",
    "save_json",
    "to_json_types",
    "to_line",
    "translated",
]
