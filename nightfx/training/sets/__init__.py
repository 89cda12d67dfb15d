"""Data sets that are made: pictures and frames sorted into day and night, cut, listed."""
