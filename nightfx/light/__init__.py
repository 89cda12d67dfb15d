"""Decide the light that a frame gets."""
