"""Folders of shots and timelines: many renders in worker processes, with a report at the end."""
