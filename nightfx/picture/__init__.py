"""Pictures as arrays: what their codes mean, and the ways between codes, RGB and light."""
