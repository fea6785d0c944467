"""What stands behind the gateway for requests that no service takes: start page, /docs and the gateway's own errors."""
