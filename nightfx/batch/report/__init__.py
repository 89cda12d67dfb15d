"""What a batch shows at its end."""
