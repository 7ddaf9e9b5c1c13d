"""Authors' scripts, run where they can reach nothing: JavaScript in a child process, HTTP by its parent."""
