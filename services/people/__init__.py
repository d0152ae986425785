"""People: how they log in with a name and a password, and what their role allows. Knows no HTTP.

roles       the scopes of each role, and a user as the caller that the routes know
passwords   Argon2id, in threads of its own
attempts    the growing wait after wrong passwords
sessions    who is logged in
links       one-time links: to the first administrator, to a new password
"""
