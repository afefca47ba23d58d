"""What runs inside the box: standard library only, Python 3.11 or newer, no import from outside."""
