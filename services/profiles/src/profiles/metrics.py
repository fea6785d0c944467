"""What is counted of the bank beside its requests."""

from chassis.metrics import counter

BANK_NOT_FRESH = counter("kandidatenbank_bank_not_fresh", "Looks into the bank refused because withdrawals may not have arrived.")
