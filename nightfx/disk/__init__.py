"""Files that are complete or not there, and typed JSON."""
