"""What is seen of every request: `requests` wraps the application, `measures` counts, `log` writes.

`edges` says what is refused before a route's own code runs.
"""
