"""The market's own keys: backed up, restored, rotated, rehearsed; the signing keys it has had."""
