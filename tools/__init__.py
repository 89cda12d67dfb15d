"""Tools beside the product: what makes the pictures that it learns from."""
