"""What a person is to be told: one row for each person and vacancy, so that nobody is told of a vacancy twice."""
