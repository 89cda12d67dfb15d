"""Files that are complete or not there, and typed JSON."""

from nightfx.disk.json_files import from_json_types, load_json, save_json, to_json_types, to_line
from nightfx.disk.partial import (
    MOST_NAME_BYTES,
    hidden_path,
    partial_file,
    partial_folder,
    translated,
)

__all__ = [
    "MOST_NAME_BYTES",
    "from_json_types",
    "hidden_path",
    "load_json",
    "partial_file",
    "partial_folder",
    "save_json",
    "to_json_types",
    "to_line",
    "translated",
]
