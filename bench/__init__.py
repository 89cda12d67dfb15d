"""Measurements: what README claims is remade by these."""

from nightfx.engine.process import set_up

set_up()  # as `nightfx render` does
