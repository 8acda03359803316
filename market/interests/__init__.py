"""The registers of interests, of gifts and of breaches that a commissioning body keeps."""
