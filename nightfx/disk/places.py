"""Where the user's own settings and presets lie: the platform's places for them, or what the environment names."""

from __future__ import annotations

import os
from pathlib import Path

CONFIG_VARIABLE, PRESETS_VARIABLE = "NIGHTFX_CONFIG", "NIGHTFX_PRESETS"


def config_file() -> Path | None:
    """The user's config.toml, whether it is there or not; None where NIGHTFX_CONFIG is set to nothing."""
    named = os.environ.get(CONFIG_VARIABLE)
    if named is not None:
        return Path(named) if named else None
    import platformdirs

    return platformdirs.user_config_path("nightfx", appauthor=False) / "config.toml"


def own_presets() -> Path:
    """The folder of the user's own presets, whether it is there or not."""
    if named := os.environ.get(PRESETS_VARIABLE):
        return Path(named)
    import platformdirs

    return platformdirs.user_data_path("nightfx", appauthor=False) / "presets"
