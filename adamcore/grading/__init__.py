"""Grading of assignments: building them, running a submission in a process of its own, judging, feedback."""
