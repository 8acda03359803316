"""Pure rules about systems: the form of keys, networks, key sets, assertions, what scopes allow."""
