"""Pixels, colour and time of files: what FFmpeg does, and what it must not."""
