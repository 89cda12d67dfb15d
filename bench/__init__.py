"""Performance and quality claims, remade by command: `python -m bench.quality`, `python -m bench.split`."""
