"""What everything else is built on: errors, files, memory, threads, optional libraries, text that is safe to show."""
