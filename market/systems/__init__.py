"""Systems of suppliers and buyers: API keys, clients with tokens, and what they may be used for."""
