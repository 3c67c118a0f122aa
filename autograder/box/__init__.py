"""What runs inside the sandbox. Mounted there, so nothing in this folder may hold a check or an answer."""
