"""The example clip: one street, drawn by day and by night."""
