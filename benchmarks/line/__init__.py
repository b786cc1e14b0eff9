"""What a call costs on the line, against a bare UDP echo in the same run."""
