"""The HTTP side that all services share, as ordinary Litestar parts."""
