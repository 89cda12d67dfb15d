"""Performance and quality claims, remade by command: `python -m bench.nights`, `python -m bench.split`."""
