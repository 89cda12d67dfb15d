"""The parts of `compare_revisions`: what is rendered, of what, by which checkout, and how results are compared."""
