"""The REST API v1: routes, authentication, problems. Routes translate; the service decides."""
