"""What is in the picture."""
