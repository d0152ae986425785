# REX in a container. Without a command it is the embedded venue: one process, one data folder. docker-compose.yml runs the scaled one.
FROM python:3.13-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN python -m venv /rex \
 && /rex/bin/pip install --no-cache-dir --require-hashes -r requirements.txt \
 && /rex/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim
COPY --from=build /rex /rex
RUN useradd --system --home-dir /data --create-home rex
USER rex
VOLUME /data
# Inside the container REX listens on every address; docker-compose.yml publishes the port on 127.0.0.1 of the host only.
# Every visitor has the address of Docker's gateway: one share of the pages is all of them.
ENV PATH=/rex/bin:$PATH REX_DATA_DIR=/data REX_HOST=0.0.0.0 REX_MAX_PAGES_PER_ADDRESS=256
EXPOSE 8000
CMD ["rex", "demo"]
