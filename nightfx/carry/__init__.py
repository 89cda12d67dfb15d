"""Everything that travels beside the picture: sound, subtitles, chapters and tags, as far as a container holds them."""
