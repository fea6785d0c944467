"""A profile's year, played through the gateway of the local stack: `make demo`."""
