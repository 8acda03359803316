"""What can be read about systems: who acts by a credential, and the lists of their makers."""
