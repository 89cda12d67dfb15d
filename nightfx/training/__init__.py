"""From two folders of pictures to a preset."""
