"""Meshes of what stands in a place."""
