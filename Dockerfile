# syntax=docker/dockerfile:1

# Built on the oldest Java that is supported, run on the newest: the jar is the same everywhere.
FROM maven:3.9-eclipse-temurin-17 AS build
WORKDIR /build
COPY pom.xml ./
COPY sql sql
COPY src/main src/main
RUN --mount=type=cache,target=/root/.m2 mvn -B -ntp -DskipTests package

FROM eclipse-temurin:25-jre
LABEL org.opencontainers.image.title="Tailrace" \
      org.opencontainers.image.description="Execution-log server: durable in milliseconds, live in the browser, kept in PostgreSQL."

# The journal lives in /data: mount a volume there, or an acknowledged entry dies with the container.
RUN groupadd --system --gid 10001 tailrace \
 && useradd --system --uid 10001 --gid tailrace --home-dir /data --shell /usr/sbin/nologin tailrace \
 && install -d -o tailrace -g tailrace -m 0700 /data
COPY --from=build /build/target/tailrace.jar /app/tailrace.jar

# No embedded PostgreSQL in a container: without DATABASE_URL the start ends with a message that says so.
ENV HOST=0.0.0.0 \
    PORT=8080 \
    TAILRACE_DATA_DIR=/data \
    TAILRACE_EMBEDDED=off
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080

# The shell's own TCP, so that the image needs no curl. Liveness only: a server without PostgreSQL must not be restarted.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/${PORT:-8080} && printf 'GET /health/live HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r line <&3 && [[ $line == *' 200 '* ]]"]

# The JVM is process 1 and gets the signal itself; it stops in order within SHUTDOWN_TIMEOUT and exits with 143.
STOPSIGNAL SIGTERM
# Half the memory for the heap: RocksDB and the sockets live outside of it.
ENTRYPOINT ["java", "-XX:MaxRAMPercentage=50", "-XX:+ExitOnOutOfMemoryError", "-jar", "/app/tailrace.jar"]
CMD ["serve"]
