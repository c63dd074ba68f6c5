"""Services that hand out observations: what to ask them, and what to make of their answers.

A service is an object of the protocol in `service`; to add one, write it there beside the others.
"""
