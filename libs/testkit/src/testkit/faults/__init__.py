"""Faults on the real parts while people work, and a checker that nothing was lost and nothing came twice."""
