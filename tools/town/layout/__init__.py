"""Where things stand in a place."""
