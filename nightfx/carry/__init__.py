"""What travels beside the picture, sound, subtitles, chapters and tags, and what a container holds of it."""
