"""What every service must know of the others before it trusts or seals: public keys and ended sessions."""
