"""Reads what somebody submitted: class folders, LMS downloads, archives, rosters, notebooks."""
