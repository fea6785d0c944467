"""What is counted of the bank beside its requests."""

from chassis.metrics import counter

from profiles.budgets.model import Scope

BANK_NOT_FRESH = counter("kandidatenbank_bank_not_fresh", "Looks into the bank refused because withdrawals may not have arrived.")
BANK_FROZEN = counter(
    "kandidatenbank_bank_frozen", "Budgets of views that were used up and frozen, by whose they were.", "scope", values=Scope
)
