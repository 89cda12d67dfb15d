"""What a picture of a street is made of: surfaces, of which each pixel shows one, and things on them that light up."""

from __future__ import annotations

SURFACES = ("sky", "ground", "wall", "leaves", "vehicle", "person")
"""They share a pixel out among themselves: their probabilities sum to 1."""

LIGHTS = ("window", "sign", "lamp", "front-lamp", "rear-lamp")
"""What emits light by night, lit or not: a probability each, for a window is on a wall."""

KINDS = SURFACES + LIGHTS
"""All of them, in the order of the scene network's channels."""
