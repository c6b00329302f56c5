"""What the law cares about, as pure data and functions: no clock, no chance, no framework."""
