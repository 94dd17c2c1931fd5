"""This room tells people: it composes the outbox's messages, draws their charts and carries them to the mail server."""
