"""What is counted of sign-ins, so that an attack and a breakage are seen; who it was is in no metric."""

from chassis.metrics import counter

SIGN_INS = counter("kandidatenbank_sign_ins", "Tries to sign in: signed-in, credentials, throttled or acting.", "outcome")
REFRESHES = counter("kandidatenbank_refreshes", "Refresh tokens that were replaced, or refused: renewed or refused.", "outcome")
CLIENT_TOKENS = counter(
    "kandidatenbank_client_tokens", "Tokens asked for by systems: granted, or the fault by RFC 6749's code.", "outcome"
)
