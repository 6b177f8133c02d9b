package tailrace.cli;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import tailrace.model.Visible;

/**
 * One kept-alive HTTP/1.1 connection that a single thread sends requests over, one after the other. It blocks, because a
 * load generator's clock must not wait behind other work on an event loop; and it shares no code with the server, so a
 * figure measured with it cannot flatter it. After an {@link IOException} the next request opens a new connection.
 */
final class HttpConnection implements AutoCloseable {
    /** A page of 1,000 history entries of the largest size allowed fits. */
    private static final int MAX_BODY_BYTES = 32 << 20;

    private static final int MAX_LINE_BYTES = 16 << 10;
    private static final int MAX_HEADERS = 200;
    private static final int MAX_PRINTED_CHARS = 300;
    private static final int CONNECT_TIMEOUT_MS = 5_000;
    /** No answer of the server takes longer than its own deadline for a commit; this is well above it. */
    private static final int READ_TIMEOUT_MS = 30_000;

    private final BenchTarget.Server server;
    private @Nullable Socket socket;
    private @Nullable InputStream in;

    HttpConnection(BenchTarget.Server server) {
        this.server = server;
    }

    /** An answer: its status and its whole body. */
    record Response(int status, byte[] body) {
        String text() {
            return new String(body, StandardCharsets.UTF_8);
        }
    }

    /**
     * Sends a whole request, head and body, and waits for the whole answer.
     *
     * @throws IOException if there is no answer: nothing is known of what the server did then
     */
    Response exchange(byte[] request, int length) throws IOException {
        try {
            Socket open = open();
            open.getOutputStream().write(request, 0, length);
            InputStream from = in;
            if (from == null) {
                throw new IOException("not connected");
            }
            return read(from);
        } catch (IOException e) {
            close();
            throw e;
        }
    }

    /** The bytes of a request's head, blank line included. */
    static byte[] head(String method, String path, BenchTarget.Server server, String headers) {
        return (method + ' ' + path + " HTTP/1.1\r\nHost: " + server.authority() + "\r\nAuthorization: Bearer "
                        + server.token() + "\r\n" + headers + "\r\n")
                .getBytes(StandardCharsets.ISO_8859_1);
    }

    /** A GET of JSON. */
    Response get(BenchTarget.Server target, String path) throws IOException {
        byte[] request = head("GET", target.path(path), target, "Accept: application/json\r\n");
        return exchange(request, request.length);
    }

    /** A request with a small JSON body. */
    Response send(BenchTarget.Server target, String method, String path, String json) throws IOException {
        byte[] body = json.getBytes(StandardCharsets.UTF_8);
        byte[] head = head(
                method,
                target.path(path),
                target,
                "Content-Type: application/json\r\nContent-Length: " + body.length + "\r\n");
        byte[] request = new byte[head.length + body.length];
        System.arraycopy(head, 0, request, 0, head.length);
        System.arraycopy(body, 0, request, head.length, body.length);
        return exchange(request, request.length);
    }

    private Socket open() throws IOException {
        Socket current = socket;
        if (current != null) {
            return current;
        }
        Socket fresh = new Socket();
        try {
            fresh.setTcpNoDelay(true);
            fresh.setSoTimeout(READ_TIMEOUT_MS);
            fresh.connect(server.address(), CONNECT_TIMEOUT_MS);
            if (server.tls().isPresent()) {
                fresh = overTls(server.tls().get(), fresh);
            }
            in = new BufferedInputStream(fresh.getInputStream(), 64 << 10);
        } catch (IOException e) {
            fresh.close();
            throw e;
        }
        socket = fresh;
        return fresh;
    }

    private Socket overTls(SSLContext context, Socket plain) throws IOException {
        SSLSocket secure = (SSLSocket) context.getSocketFactory()
                .createSocket(
                        plain,
                        server.address().getHostString(),
                        server.address().getPort(),
                        true);
        SSLParameters parameters = secure.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS"); // whose certificate it is, not only who signed it
        secure.setSSLParameters(parameters);
        try {
            secure.startHandshake();
        } catch (IOException e) {
            secure.close();
            throw e;
        }
        return secure;
    }

    private Response read(InputStream from) throws IOException {
        String statusLine = line(from);
        if (!statusLine.startsWith("HTTP/1.") || statusLine.length() < 12) {
            throw new IOException("not an HTTP answer: " + printable(statusLine));
        }
        int status = number(statusLine.substring(9, 12), 10);
        long length = -1;
        boolean chunked = false;
        boolean close = false;
        int headers = 0;
        for (String header = line(from); !header.isEmpty(); header = line(from)) {
            if (++headers > MAX_HEADERS) {
                throw new IOException("more than " + MAX_HEADERS + " headers");
            }
            int colon = header.indexOf(':');
            String name = header.substring(0, Math.max(colon, 0)).toLowerCase(Locale.ROOT);
            String value = header.substring(colon + 1).trim().toLowerCase(Locale.ROOT);
            switch (name) {
                case "content-length" -> length = number(value, 10);
                case "transfer-encoding" -> chunked = value.equals("chunked");
                case "connection" -> close = value.equals("close");
                default -> {
                    // no other header changes how the answer is read
                }
            }
        }
        byte[] body = chunked ? chunks(from) : length >= 0 ? exactly(from, length) : new byte[0];
        if (close) {
            close();
        }
        return new Response(status, body);
    }

    private static byte[] chunks(InputStream from) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        while (true) {
            String size = line(from);
            int semicolon = size.indexOf(';');
            int count = number((semicolon < 0 ? size : size.substring(0, semicolon)).trim(), 16);
            if (count == 0) {
                line(from);
                return body.toByteArray();
            }
            body.writeBytes(exactly(from, (long) body.size() + count <= MAX_BODY_BYTES ? count : MAX_BODY_BYTES + 1L));
            line(from);
        }
    }

    private static byte[] exactly(InputStream from, long count) throws IOException {
        if (count > MAX_BODY_BYTES) {
            throw new IOException("an answer of more than " + MAX_BODY_BYTES + " bytes");
        }
        byte[] bytes = from.readNBytes((int) count);
        if (bytes.length < count) {
            throw new EOFException("the server closed in the middle of an answer");
        }
        return bytes;
    }

    private static String line(InputStream from) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = from.read(); c != '\n'; c = from.read()) {
            if (c < 0) {
                throw new EOFException("the server closed the connection");
            }
            if (line.length() >= MAX_LINE_BYTES) {
                throw new IOException("a header line of more than " + MAX_LINE_BYTES + " bytes");
            }
            if (c != '\r') {
                line.append((char) c);
            }
        }
        return line.toString();
    }

    private static int number(String text, int radix) throws IOException {
        try {
            return Integer.parseInt(text, radix);
        } catch (NumberFormatException e) {
            throw new IOException("not a number in an HTTP answer: " + printable(text), e);
        }
    }

    /** What a server sent, cut and harmless: it goes to a terminal. */
    static String printable(String text) {
        return Visible.line(text.substring(0, Math.min(text.length(), MAX_PRINTED_CHARS)));
    }

    @Override
    public void close() {
        Socket open = socket;
        socket = null;
        in = null;
        if (open != null) {
            try {
                open.close();
            } catch (IOException e) {
                // It is gone either way, and what was exchanged before has been counted.
                System.getLogger(HttpConnection.class.getName()).log(System.Logger.Level.DEBUG, "close", e);
            }
        }
    }
}
