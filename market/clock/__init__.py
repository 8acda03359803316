"""The one clock: what time it is in the market, and moving a sandbox forward."""
