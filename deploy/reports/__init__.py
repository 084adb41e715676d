"""Documents that are generated from the graph; a test fails when a committed one is not what the graph gives."""
