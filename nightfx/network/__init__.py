"""What is learnt: the networks, their weights, presets, and what runs them."""
