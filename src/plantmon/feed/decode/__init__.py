"""This room decodes payloads, a module a format; each raises DecodeError and knows nothing of the plant."""
