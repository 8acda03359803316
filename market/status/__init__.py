"""For machines and people who look after the market: health, readiness, measures, a status page."""
