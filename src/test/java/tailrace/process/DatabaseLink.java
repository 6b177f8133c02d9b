package tailrace.process;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A TCP way to a server that can be cut: by {@link #cut} as a whole until {@link #mend}, or by {@link #breakWithin}
 * somewhere within what is being said, in either direction, so that a commit may have happened without its answer. It
 * can be {@link #slow} too, and lead to another port after the server was started again.
 */
final class DatabaseLink implements AutoCloseable {
    private final ServerSocket listening;
    private volatile int target;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final AtomicLong breaks = new AtomicLong();
    private volatile boolean cut;
    private volatile int breakWithinBytes;
    private volatile int latencyMillis;
    private volatile int bytesPerSecond;

    DatabaseLink(int target) throws IOException {
        this.target = target;
        this.listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        daemon(this::accept);
    }

    int port() {
        return listening.getLocalPort();
    }

    private void accept() {
        while (!listening.isClosed()) {
            try {
                Socket from = listening.accept();
                if (cut) {
                    from.close();
                    continue;
                }
                Socket to = reach(from);
                open.add(from);
                open.add(to);
                daemon(() -> pump(from, to));
                daemon(() -> pump(to, from));
            } catch (IOException e) {
                // the target or this listener is gone
            }
        }
    }

    /** The server's side of a connection; where it listens no more, the client sees its connection end. */
    private Socket reach(Socket from) throws IOException {
        try {
            return new Socket(InetAddress.getLoopbackAddress(), target);
        } catch (IOException e) {
            from.close();
            throw e;
        }
    }

    private void pump(Socket from, Socket to) {
        byte[] buffer = new byte[8192];
        long left = -1;
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int count; (count = in.read(buffer)) >= 0; ) {
                delay(count);
                int within = breakWithinBytes;
                if (within > 0) {
                    left = (left < 0 ? ThreadLocalRandom.current().nextInt(within) : left) - count;
                    if (left < 0) {
                        breaks.incrementAndGet();
                        out.write(buffer, 0, (int) Math.max(0, count + left));
                        return;
                    }
                }
                out.write(buffer, 0, count);
            }
        } catch (IOException e) {
            // the other side has ended it
        } finally {
            open.remove(from);
            open.remove(to);
        }
    }

    private void delay(int bytes) {
        int rate = bytesPerSecond;
        Duration delay = Duration.ofMillis(latencyMillis + (rate == 0 ? 0 : bytes * 1_000L / rate));
        if (!delay.isZero()) {
            AwaitCondition.elapse(delay);
        }
    }

    /** New connections lead there; those that are open stay. */
    void target(int port) {
        target = port;
    }

    /** Ends all connections; new ones are closed at once. */
    void cut() {
        cut = true;
        open.forEach(DatabaseLink::closeQuietly);
    }

    void mend() {
        cut = false;
        breakWithinBytes = 0;
        latencyMillis = 0;
        bytesPerSecond = 0;
    }

    /**
     * From now on each piece of up to 8 KiB is held back for so long, and for as long as its bytes take at that rate; the
     * next piece of that direction waits behind it.
     */
    void slow(int latencyMillis, int bytesPerSecond) {
        this.latencyMillis = latencyMillis;
        this.bytesPerSecond = bytesPerSecond;
    }

    /** From now on each direction of a connection breaks within so many bytes. */
    void breakWithin(int bytes) {
        breakWithinBytes = bytes;
    }

    long breaks() {
        return breaks.get();
    }

    private static void daemon(Runnable work) {
        Thread thread = new Thread(work, "database-link");
        thread.setDaemon(true);
        thread.start();
    }

    private static void closeQuietly(Closeable socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // then it is closed
        }
    }

    @Override
    public void close() throws IOException {
        listening.close();
        cut();
    }
}
