"""One training run, from pictures to a preset."""
