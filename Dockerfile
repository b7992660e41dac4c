# hotline in one image. Build: docker build -t hotline .
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /out/hotline ./cmd/hotline

FROM debian:bookworm-slim
# The server binaries are for the small setting (hotline serve with its own private database); with HOTLINE_DATABASE_URL they lie idle.
RUN mkdir -p /etc/postgresql-common/createcluster.d \
 && echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.d/hotline.conf \
 && apt-get update && apt-get install -y --no-install-recommends postgresql ca-certificates tzdata curl && rm -rf /var/lib/apt/lists/* \
 && useradd --system --home-dir /var/lib/hotline --create-home hotline
COPY --from=build /out/hotline /usr/local/bin/hotline
USER hotline
WORKDIR /var/lib/hotline
VOLUME /var/lib/hotline
ENV HOTLINE_ADDR=0.0.0.0:8080 HOTLINE_DATA=/var/lib/hotline HOTLINE_LOG_FORMAT=json
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD curl -fsS http://127.0.0.1:8080/readyz || exit 1
ENTRYPOINT ["hotline"]
CMD ["serve"]
