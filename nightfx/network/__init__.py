"""All that is learnt: networks, their weights, presets, and what runs them."""
