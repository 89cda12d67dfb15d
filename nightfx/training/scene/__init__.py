"""Labelled pictures to the scene network."""
