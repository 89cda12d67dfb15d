"""Which shots a batch renders, and how each is asked for."""
