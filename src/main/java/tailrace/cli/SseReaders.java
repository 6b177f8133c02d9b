package tailrace.cli;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import org.HdrHistogram.Histogram;

/**
 * Many SSE readers on one thread and one selector, in the same process and on the same clock as the publisher. Each
 * reader keeps nothing but its last id: the next must be one higher, or something was lost, repeated or out of order.
 * {@link #run} belongs to its thread; {@link #counts} may be read by others at any time, the rest after the end.
 */
final class SseReaders implements Runnable {
    /** What a reader may have pending at once while all of them connect: below the server's accept queue. */
    private static final int CONNECTING_AT_ONCE = 100;

    private static final int BUFFER_BYTES = 256 << 10;
    private static final long SELECT_MS = 10;
    /** One address has 28,000 ports to connect from; loopback has more addresses. */
    private static final int READERS_AN_ADDRESS = 20_000;

    private final InetSocketAddress server;
    private final List<byte[]> requests;
    private final int readers;
    private final BenchClock clock;
    private final IngestSender.FirstProblem problem;
    private final List<Reader> all = new ArrayList<>();
    private final Histogram latencyMicros = OpenLoop.histogram();
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
    private final byte[] bytes = new byte[BUFFER_BYTES];
    private int connecting;
    private int opened;
    private int failed;
    private int closed;
    private long entries;
    private long measured;
    private long wrongOrder;
    private long missing;
    private long gaps;
    private long lastDeliveryMicros;
    private volatile Counts counts = new Counts(0, 0, 0, 0, 0, 0, 0, 0, 0);
    private volatile long measureFromMicros = Long.MAX_VALUE;
    private volatile boolean stopped;

    /**
     * What happened so far.
     *
     * @param opened readers whose stream began with 200
     * @param failed readers that never had one
     * @param closed streams that ended before they were told to
     * @param entries delivered, warm-up included
     * @param measured entries that were scheduled in the measured time
     * @param wrongOrder entries whose id was not above the one before: repeated or out of order
     * @param missing ids that were jumped over
     * @param gaps GAP and ERROR events
     * @param lastDeliveryMicros epoch
     */
    record Counts(
            int opened,
            int failed,
            int closed,
            long entries,
            long measured,
            long wrongOrder,
            long missing,
            long gaps,
            long lastDeliveryMicros) {}

    /**
     * @param requests one for each execution; reader i sends number i mod size
     */
    SseReaders(
            InetSocketAddress server,
            List<byte[]> requests,
            int readers,
            BenchClock clock,
            IngestSender.FirstProblem problem) {
        this.server = server;
        this.requests = requests;
        this.readers = readers;
        this.clock = clock;
        this.problem = problem;
    }

    Counts counts() {
        return counts;
    }

    /** Of measured entries, from their scheduled send to the read that brought them; after the end only. */
    Histogram latencyMicros() {
        return latencyMicros;
    }

    /** Entries whose {@code t} is before, in epoch microseconds, are warm-up; all are, until this is called. */
    void measureFrom(long micros) {
        measureFromMicros = micros;
    }

    /** Ends {@link #run} soon. */
    void stop() {
        stopped = true;
    }

    @Override
    public void run() {
        try (Selector selector = Selector.open()) {
            while (!stopped) {
                connectMore(selector);
                selector.select(this::ready, SELECT_MS);
                counts = new Counts(
                        opened, failed, closed, entries, measured, wrongOrder, missing, gaps, lastDeliveryMicros);
            }
        } catch (IOException e) {
            problem.report("the selector failed: " + e.getMessage());
        } finally {
            all.forEach(Reader::close);
        }
    }

    private void connectMore(Selector selector) {
        while (all.size() < readers && connecting < CONNECTING_AT_ONCE) {
            Reader reader = new Reader(requests.get(all.size() % requests.size()));
            all.add(reader);
            connecting++;
            try {
                reader.connect(selector, all.size() - 1);
            } catch (IOException e) {
                reader.broken("connect: " + e.getMessage());
            }
        }
    }

    private void ready(SelectionKey key) {
        Reader reader = (Reader) key.attachment();
        try {
            if (key.isConnectable()) {
                reader.connected(key);
            } else {
                reader.read();
            }
        } catch (IOException | IllegalStateException e) {
            reader.broken(String.valueOf(e.getMessage()));
        }
    }

    /** One stream. */
    private final class Reader implements SseParser.Listener {
        private final SseParser parser = new SseParser(this);
        private final byte[] request;
        private @org.jspecify.annotations.Nullable SocketChannel channel;
        private boolean open;
        private boolean gone;
        private long lastId;

        Reader(byte[] request) {
            this.request = request;
        }

        void connect(Selector selector, int index) throws IOException {
            SocketChannel fresh = SocketChannel.open();
            channel = fresh;
            fresh.configureBlocking(false);
            fresh.setOption(StandardSocketOptions.TCP_NODELAY, true);
            InetAddress to = server.getAddress();
            if (to.isLoopbackAddress() && to.getAddress().length == 4 && index >= READERS_AN_ADDRESS) {
                byte source = (byte) (1 + index / READERS_AN_ADDRESS);
                fresh.bind(new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, source}), 0));
            }
            boolean now = fresh.connect(server);
            SelectionKey key = fresh.register(selector, SelectionKey.OP_CONNECT, this);
            if (now) {
                connected(key);
            }
        }

        void connected(SelectionKey key) throws IOException {
            SocketChannel connected = (SocketChannel) key.channel();
            connected.finishConnect();
            ByteBuffer head = ByteBuffer.wrap(request);
            connected.write(head);
            if (head.hasRemaining()) {
                throw new IOException("the socket did not take the request");
            }
            key.interestOps(SelectionKey.OP_READ);
        }

        void read() throws IOException {
            SocketChannel from = channel;
            if (from == null) {
                return;
            }
            buffer.clear();
            int count = from.read(buffer);
            if (count < 0) {
                broken("the server closed a stream");
                return;
            }
            buffer.flip();
            buffer.get(bytes, 0, count);
            parser.feed(bytes, 0, count, clock.nowMicros());
            if (parser.ended()) {
                broken("the server ended a stream");
            }
        }

        @Override
        public void opened(int status) {
            connecting--;
            if (status != 200) {
                gone = true;
                failed++;
                close();
                problem.report("a stream was answered with " + status);
                return;
            }
            open = true;
            opened++;
        }

        @Override
        public void entry(long id, long time, long nowMicros) {
            if (id == lastId + 1) {
                lastId = id;
            } else if (id > lastId) {
                missing += id - lastId - 1;
                lastId = id;
            } else {
                wrongOrder++;
            }
            entries++;
            if (time >= measureFromMicros) {
                measured++;
                lastDeliveryMicros = nowMicros;
                OpenLoop.record(latencyMicros, nowMicros - time);
            }
        }

        @Override
        public void control(long id, char type) {
            if (type == 'G' || type == 'E') {
                gaps++;
                problem.report("a stream said " + (type == 'G' ? "GAP" : "ERROR"));
            }
        }

        void broken(String why) {
            if (gone) {
                return;
            }
            gone = true;
            if (open) {
                closed++;
            } else {
                connecting--;
                failed++;
            }
            problem.report(why);
            close();
        }

        void close() {
            SocketChannel current = channel;
            channel = null;
            if (current != null) {
                try {
                    current.close();
                } catch (IOException e) {
                    problem.report("close: " + e.getMessage());
                }
            }
        }
    }
}
