"""The demonstration: one whole competition, invented but for its buyers and units, over HTTP."""
