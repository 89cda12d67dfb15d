"""Frames to frames: tiles, light, the pipeline, one render and many."""
