"""The queue of mails: one for each cause, whoever asks and however often."""
