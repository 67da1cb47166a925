"""Notifications: what people are told of promotions, failed gates and rollbacks. Sending is an adapter."""
