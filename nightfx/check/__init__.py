"""The truth afterwards: a render held against its source."""
