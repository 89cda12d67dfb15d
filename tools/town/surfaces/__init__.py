"""What meshes are made of."""
