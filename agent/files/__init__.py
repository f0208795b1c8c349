"""Files that survive: durable writing, bundles, JSON that names its schema, memory limits."""
