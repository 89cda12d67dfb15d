"""The light of lamps on the frames of a shot."""
