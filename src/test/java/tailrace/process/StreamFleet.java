package tailrace.process;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Very many SSE readers on one thread, on bare sockets: each checks that its seqs come one by one and keeps nothing but
 * numbers, so that what a test measures is the server. A reader can stop reading and go on.
 */
final class StreamFleet implements AutoCloseable {
    private static final int MAX_LINE = 128;

    private final InetSocketAddress address;
    private final String token;
    private final Selector selector = Selector.open();
    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final List<Reader> readers = new ArrayList<>();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final Thread thread = new Thread(this::run, "stream-fleet");
    private volatile boolean closed;

    StreamFleet(URI base, String token) throws IOException {
        this.address = new InetSocketAddress(base.getHost(), base.getPort());
        this.token = token;
        thread.start();
    }

    /**
     * Connects and asks for a stream.
     *
     * @param query such as {@code ?wait=5}
     * @param stalled whether it reads nothing until {@link Reader#resume}
     */
    Reader open(String executionId, String query, boolean stalled) throws IOException {
        SocketChannel channel = SocketChannel.open();
        if (stalled) {
            channel.setOption(StandardSocketOptions.SO_RCVBUF, 4096);
        }
        channel.connect(address);
        channel.write(ByteBuffer.wrap(("GET /v2/executions/" + Api.encode(executionId) + "/logs/stream" + query
                        + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token + "\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII)));
        channel.configureBlocking(false);
        Reader reader = new Reader(channel);
        readers.add(reader);
        if (!stalled) {
            reader.resume();
        }
        return reader;
    }

    List<Reader> readers() {
        return readers;
    }

    private void run() {
        ByteBuffer buffer = ByteBuffer.allocateDirect(64 << 10);
        byte[] bytes = new byte[64 << 10];
        try {
            while (!closed) {
                selector.select();
                for (Runnable task; (task = tasks.poll()) != null; ) {
                    task.run();
                }
                for (SelectionKey key : selector.selectedKeys()) {
                    Reader reader = (Reader) key.attachment();
                    buffer.clear();
                    int count = reader.read(buffer);
                    if (count < 0) {
                        reader.ended = true;
                        key.channel().close();
                    } else {
                        buffer.flip();
                        buffer.get(bytes, 0, count);
                        reader.parse(bytes, count);
                    }
                }
                selector.selectedKeys().clear();
            }
        } catch (IOException | RuntimeException e) {
            failure.set(e);
        }
    }

    /** Throws what went wrong in the fleet itself. */
    void check() {
        if (failure.get() != null) {
            throw new AssertionError("the fleet of readers broke", failure.get());
        }
    }

    @Override
    public void close() throws Exception {
        closed = true;
        selector.wakeup();
        thread.join();
        for (Reader reader : readers) {
            reader.channel.close();
        }
        selector.close();
    }

    private enum Part {
        HEAD,
        CHUNK_SIZE,
        CHUNK,
        CHUNK_END
    }

    /** One stream; its numbers are written by the fleet's thread and may be read by any. */
    final class Reader {
        private final SocketChannel channel;
        private final byte[] line = new byte[MAX_LINE];
        private int lineLength;
        private Part part = Part.HEAD;
        private int chunkLeft;
        private long id;
        private String event = "";

        volatile int status;
        volatile long lastSeq;
        volatile long entries;
        /** Ids that were not the one after the last. */
        volatile long outOfStep;

        volatile boolean complete;
        volatile String otherEvents = "";
        volatile long retryMillis;
        volatile boolean ended;

        private Reader(SocketChannel channel) {
            this.channel = channel;
        }

        /** Reads from now on. */
        void resume() {
            tasks.add(() -> {
                try {
                    channel.register(selector, SelectionKey.OP_READ, this);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            selector.wakeup();
        }

        private int read(ByteBuffer into) {
            try {
                return channel.read(into);
            } catch (IOException e) {
                otherEvents += " broken:" + e.getMessage();
                return -1;
            }
        }

        private void parse(byte[] bytes, int count) {
            for (int i = 0; i < count; i++) {
                byte b = bytes[i];
                switch (part) {
                    case HEAD -> {
                        if (b == '\n') {
                            head(endLine());
                        } else {
                            add(b);
                        }
                    }
                    case CHUNK_SIZE -> {
                        if (b == '\n') {
                            chunkLeft = Integer.parseInt(endChunkSize(), 16);
                            part = Part.CHUNK;
                            ended |= chunkLeft == 0;
                        } else {
                            chunkSize.append((char) b);
                        }
                    }
                    case CHUNK -> {
                        if (b == '\n') {
                            sse(endLine());
                        } else {
                            add(b);
                        }
                        if (--chunkLeft == 0) {
                            part = Part.CHUNK_END;
                        }
                    }
                    case CHUNK_END -> part = b == '\n' ? Part.CHUNK_SIZE : part;
                }
            }
        }

        // Apart from the line, which may go on in the next chunk.
        private final StringBuilder chunkSize = new StringBuilder();

        private String endChunkSize() {
            String text = chunkSize.toString().strip();
            chunkSize.setLength(0);
            return text;
        }

        private void add(byte b) {
            if (lineLength < MAX_LINE) {
                line[lineLength++] = b;
            }
        }

        private String endLine() {
            String text = new String(line, 0, lineLength, StandardCharsets.US_ASCII).strip();
            lineLength = 0;
            return text;
        }

        private void head(String text) {
            if (text.startsWith("HTTP/1.1 ")) {
                status = Integer.parseInt(text.substring(9, 12));
            } else if (text.isEmpty()) {
                part = Part.CHUNK_SIZE;
            }
        }

        private void sse(String text) {
            if (text.startsWith("id: ")) {
                id = Long.parseLong(text.substring(4));
            } else if (text.startsWith("data: {\"event_type\":\"")) {
                event = text.substring(21, text.indexOf('"', 21));
            } else if (text.startsWith("retry: ")) {
                retryMillis = Long.parseLong(text.substring(7));
            } else if (text.isEmpty() && !event.isEmpty()) {
                dispatch();
                event = "";
            }
        }

        private void dispatch() {
            switch (event) {
                case "LOG" -> {
                    if (id != lastSeq + 1) {
                        outOfStep++;
                    }
                    lastSeq = id;
                    entries++;
                }
                case "COMPLETE" -> complete = true;
                default -> otherEvents += " " + event;
            }
        }

        @Override
        public String toString() {
            return "reader[status=" + status + " entries=" + entries + " lastSeq=" + lastSeq + " outOfStep=" + outOfStep
                    + " complete=" + complete + " ended=" + ended + otherEvents + "]";
        }
    }
}
