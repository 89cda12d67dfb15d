"""A change of light put on the plate."""
