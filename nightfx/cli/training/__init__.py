"""`nightfx train`, and what belongs to it: data sets, the scene network, the paper."""
