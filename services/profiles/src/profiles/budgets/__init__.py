"""How much of the bank may be seen in a day, the freeze beyond it, and who may lift it: nobody carries the bank away (R40)."""
