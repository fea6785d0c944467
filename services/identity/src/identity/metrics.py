"""What is counted of sign-ins, so that an attack and a breakage are seen; who it was is in no metric."""

from chassis.metrics import counter

from identity.clients.model import OAuthFault

SIGN_IN = ("signed-in", "credentials", "throttled", "acting")

SIGN_INS = counter("kandidatenbank_sign_ins", "Tries to sign in by what came of them.", "outcome", values=SIGN_IN)
REFRESHES = counter(
    "kandidatenbank_refreshes", "Refresh tokens that were replaced, or refused.", "outcome", values=("renewed", "refused")
)
CLIENT_TOKENS = counter(
    "kandidatenbank_client_tokens",
    "Tokens asked for by systems: granted, or the fault by RFC 6749's code.",
    "outcome",
    values=("granted", *OAuthFault),
)
