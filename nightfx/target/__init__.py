"""All that takes frames: codecs, encoders, files that are complete before they get their name."""
