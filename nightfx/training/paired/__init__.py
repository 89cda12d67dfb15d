"""A look from a few pairs: frames of one shot before and after, matched, aligned, learnt."""
