"""Acts about systems: making and ending keys and clients, issuing tokens, noting their use."""
