"""Who renders what: tasks, workers, leases and records."""
