"""YAML definitions of the city → frozen objects, with Japanese errors that name file and line."""
