"""Cases: files of overdue cases come in, are cleaned and previewed, and go out again; payments likewise."""
