"""What the user has of their own: settings for every render, and presets."""
