"""`make run-scaled`: the scaled venue of docker-compose.yml on this machine, without Docker.

docker-compose.yml ─► compose_file.py: services ─► this_machine.py: free ports, folders ─► running_venue.py: processes
"""
