"""What a user would write without the program: a peer is one file.

``NEEDS`` are the libraries that it imports, ``KINDS`` the jobs that it does, and ``run(source, target, digits, whole)``
does one. A conversion reads logits and writes id, name and probabilities, with 9 digits in float32, with 17 in float64;
if it is to be `whole`, the prediction and its confidence too. ``evaluate`` and ``calibrate`` write a few figures of a
labelled table as JSON.
"""
