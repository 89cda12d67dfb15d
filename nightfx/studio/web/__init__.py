"""The page of the studio, and the server that answers it."""
