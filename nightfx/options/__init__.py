"""What can be asked for: each option once, for the command line, files, manifests and Python."""
