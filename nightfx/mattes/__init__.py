"""Mattes as files: what is in a plate, for whoever composes with it."""
