"""From a vacancy to an alert for everybody whose search it fits, in shares and in batches."""
