"""Examples that train routers: patterns, plans, generators, and the registry of optimizers."""
