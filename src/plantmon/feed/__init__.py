"""This room turns MQTT messages into stored readings: a message is acknowledged only after its readings are on disk."""
