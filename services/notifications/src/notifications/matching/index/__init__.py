"""The searches in an order in which vacancies find them: `docs/architecture/matching.md` tells it with a picture."""
