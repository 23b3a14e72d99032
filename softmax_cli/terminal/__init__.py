"""Floor 3: what a person sees. The only place with rich, imported only when something is shown."""
