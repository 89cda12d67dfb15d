"""A clip held against a clip."""
