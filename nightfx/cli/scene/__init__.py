"""Commands about what is in pictures."""
