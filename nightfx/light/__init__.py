"""What light a frame gets."""
