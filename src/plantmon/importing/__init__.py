"""This package takes files of readings in: reads and checks them whole, then stores them on the way of the feed."""
