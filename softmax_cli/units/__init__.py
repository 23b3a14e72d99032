"""A job cut into units that any worker can do, again if need be, and that come out the same wherever they ran."""
