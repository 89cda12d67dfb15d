"""Files of pictures held against each other."""
