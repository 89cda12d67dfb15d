"""All that yields frames: clips, sequences and pictures, and what is known of them before they are decoded."""
