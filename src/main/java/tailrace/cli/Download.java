package tailrace.cli;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/** A large answer that is read and counted, never kept. Blocks; belongs to one thread. */
final class Download {
    private static final Duration FIRST_BYTE_TIMEOUT = Duration.ofSeconds(30);
    private static final int BUFFER_BYTES = 256 << 10;

    private final BenchTarget.Server server;
    private final String path;
    private long bytes;

    Download(BenchTarget.Server server, String path) {
        this.server = server;
        this.path = path;
    }

    /** Reads it to its end; how many lines there were. Fails if it breaks off. */
    long lines() throws IOException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(server + path))
                .header("Authorization", "Bearer " + server.token())
                .timeout(FIRST_BYTE_TIMEOUT)
                .build();
        HttpClient.Builder builder = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1);
        server.tls().ifPresent(builder::sslContext);
        HttpClient client = builder.build();
        HttpResponse<InputStream> answer;
        try {
            answer = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        try (InputStream in = answer.body()) {
            if (answer.statusCode() != 200) {
                throw new IOException(path + ": status " + answer.statusCode());
            }
            return count(in);
        }
    }

    private long count(InputStream in) throws IOException {
        byte[] buffer = new byte[BUFFER_BYTES];
        long lines = 0;
        for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
            bytes += read;
            for (int i = 0; i < read; i++) {
                lines += buffer[i] == '\n' ? 1 : 0;
            }
        }
        return lines;
    }

    long bytes() {
        return bytes;
    }
}
