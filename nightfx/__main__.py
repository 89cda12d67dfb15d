"""`nightfx`, and `python -m nightfx`."""

import gc


def run() -> None:
    """Run the command line."""
    gc.disable()  # what is imported lives as long as the program: looking through it took a sixth of the start
    from nightfx.cli import main

    gc.enable()
    main()


if __name__ == "__main__":
    run()
