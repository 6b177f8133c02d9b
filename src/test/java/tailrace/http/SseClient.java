package tailrace.http;

import io.vertx.core.json.JsonObject;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import tailrace.openapi.Contract;

/** An SSE client on a plain socket, which can stop reading and breaks off without a word. */
public class SseClient implements AutoCloseable {
    final Socket socket;
    final InputStream in;
    private final int status;
    private final Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private long chunkLeft;
    private boolean ended;

    /** One event, a comment, or the end of the stream. */
    public record Event(
            @Nullable String id,
            @Nullable String data,
            @Nullable String retry,
            boolean comment,
            boolean end) {
        public JsonObject json() {
            return new JsonObject(Objects.requireNonNull(data, this.toString()));
        }

        public String type() {
            return end ? "END" : comment ? "COMMENT" : data == null ? "RETRY" : json().getString("event_type");
        }

        public long seq() {
            return Long.parseLong(Objects.requireNonNull(id, this.toString()));
        }
    }

    SseClient(Socket socket, String request) throws IOException {
        this.socket = socket;
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        in = new BufferedInputStream(socket.getInputStream(), 4096);
        status = Integer.parseInt(raw().split(" ", 3)[1]);
        for (String line = raw(); !line.isEmpty(); line = raw()) {
            int colon = line.indexOf(':');
            headers.put(line.substring(0, colon), line.substring(colon + 1).strip());
        }
    }

    /** Opens a stream and starts to read it. */
    public static SseClient open(int port, String path, String... headers) {
        SseClient client = paused(port, path, 0, headers);
        client.read();
        return client;
    }

    /** Opens a stream of which nothing is read until {@link #read}. */
    public static SseClient paused(int port, String path, int receiveBuffer, String... headers) {
        try {
            var request = new StringBuilder("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n");
            for (String header : headers) {
                request.append(header).append("\r\n");
            }
            return new SseClient(
                    connect(port, receiveBuffer), request.append("\r\n").toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Socket connect(int port, int receiveBuffer) throws IOException {
        Socket socket = new Socket();
        if (receiveBuffer > 0) {
            socket.setReceiveBufferSize(receiveBuffer);
        }
        socket.connect(new java.net.InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        return socket;
    }

    public void read() {
        Thread thread = new Thread(this::readAll, "stream-client");
        thread.setDaemon(true);
        thread.start();
    }

    public int status() {
        return status;
    }

    public @Nullable String header(String name) {
        return headers.get(name);
    }

    /** The next event or comment, retry lines apart. */
    public Event next() {
        return next(Duration.ofSeconds(10));
    }

    public Event next(Duration patience) {
        Event event = poll(patience);
        if (event == null) {
            throw new AssertionError("no event within " + patience);
        }
        if (event.data() != null) {
            check(event.data());
        }
        return event.type().equals("RETRY") ? next(patience) : event;
    }

    /** Holds what an event says against the document. */
    void check(String data) {
        Contract.served().event(data);
    }

    public @Nullable Event poll(Duration patience) {
        try {
            return events.poll(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The next so many events of any kind but retry. */
    public List<Event> take(int count) {
        var taken = new ArrayList<Event>();
        while (taken.size() < count) {
            taken.add(next());
        }
        return taken;
    }

    /** All events until the server closes. */
    public List<Event> untilEnd() {
        var taken = new ArrayList<Event>();
        for (Event event = next(); !event.end(); event = next()) {
            taken.add(event);
        }
        return taken;
    }

    void readAll() {
        try {
            String id = null;
            String data = null;
            String retry = null;
            for (String line = line(); line != null; line = line()) {
                if (line.startsWith(":")) {
                    events.add(new Event(null, null, null, true, false));
                } else if (line.startsWith("id: ")) {
                    id = line.substring(4);
                } else if (line.startsWith("data: ")) {
                    data = line.substring(6);
                } else if (line.startsWith("retry: ")) {
                    retry = line.substring(7);
                } else if (line.isEmpty() && (data != null || retry != null)) {
                    events.add(new Event(id, data, retry, false, false));
                    id = null;
                    data = null;
                    retry = null;
                } else if (!line.isEmpty() && !line.equals("event: message")) {
                    throw new AssertionError("not an SSE line of ours: " + line);
                }
            }
        } catch (IOException e) {
            // the connection broke, which is an end like any other
        }
        events.add(new Event(null, null, null, false, true));
    }

    private @Nullable String line() throws IOException {
        var bytes = new java.io.ByteArrayOutputStream();
        for (int b = body(); b != '\n'; b = body()) {
            if (b < 0) {
                return null;
            }
            bytes.write(b);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private int body() throws IOException {
        if (ended) {
            return -1;
        }
        if (chunkLeft == 0) {
            String size = raw();
            size = size.isEmpty() ? raw() : size;
            chunkLeft = Long.parseLong(size, 16);
            if (chunkLeft == 0) {
                ended = true;
                return -1;
            }
        }
        chunkLeft--;
        return in.read();
    }

    private String raw() throws IOException {
        var bytes = new java.io.ByteArrayOutputStream();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                throw new IOException("closed");
            }
            if (b != '\r') {
                bytes.write(b);
            }
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
