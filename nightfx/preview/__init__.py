"""One frame on a sheet, beside its plate and under every preset."""
