"""Labelled streets of eight kinds, drawn by sun, by overcast and by night."""
