"""Files that were put one behind the other, as `cat` does: where the next one begins, and what its times become."""
