"""Commands for hosts: baking a shot, and the plugins."""
