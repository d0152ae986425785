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
# Every visitor has the address of Docker's gateway: what is bounded by address holds for all of them together.
ENV PATH=/rex/bin:$PATH REX_DATA_DIR=/data REX_HOST=0.0.0.0 \
    REX_MAX_PUBLIC_WEBSOCKETS_PER_ADDRESS=1024 REX_PUBLIC_READS_PER_S=500 REX_KEYLESS_ANSWERS_PER_S=5000
EXPOSE 8000
CMD ["rex", "demo"]
