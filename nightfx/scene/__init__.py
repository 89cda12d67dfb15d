"""Find what is in the picture."""
