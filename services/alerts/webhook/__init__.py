"""The webhook: each change of an alert as a signed message to one receiver, in order, at least once.

notices     what is sent: from the table `alerts`, by the number of the command that made the change
position    the last message that the receiver has taken, in a file of the data folder
connection  sends one message, and reads the status of the answer
sender      sends, and tries again
"""
