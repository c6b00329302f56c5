"""The Flask side: settings, request hooks, routes and templates around the engine."""
