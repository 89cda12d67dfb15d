"""`python -m nightfx`."""

from nightfx.cli import main

main()
