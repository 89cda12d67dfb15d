"""The light of a shot in other people's programs."""
