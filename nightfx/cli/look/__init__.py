"""Commands by which a look is seen before it is rendered."""
