"""`nightfx export`: a look as files that other programs load."""
