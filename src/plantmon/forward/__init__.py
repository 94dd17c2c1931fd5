"""This room sends what the store keeps to an InfluxDB: in order, at least once, the same points each time."""
