"""A page in the browser in which a look is found by looking, and lamps are placed: `nightfx studio`."""
