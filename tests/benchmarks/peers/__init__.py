"""What a user would write without the program: a peer is one file.

``NEEDS`` are the libraries that it imports, ``KINDS`` the conversions that it does, and ``run(source, target, digits)``
reads logits and writes id, name and probabilities; with 9 digits in float32, with 17 in float64.
"""
