"""HTTP: the access middleware in front of all routes, the routes, the OpenAPI document, health and metrics."""
