"""The global part of a look as files that colourists and editors load: a .cube, and an ASC CDL."""
