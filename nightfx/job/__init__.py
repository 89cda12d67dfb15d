"""One render: files, threads, disk."""
