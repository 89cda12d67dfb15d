"""The options: each is written once, for the command line, files, manifests and Python."""
