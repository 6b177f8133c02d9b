package tailrace.postgres;

import static tailrace.postgres.TestDatabase.await;

import io.vertx.core.Vertx;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetSocket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** A way to PostgreSQL that can be cut: open connections break, new ones are closed at once. */
public final class CutProxy implements AutoCloseable {
    private final NetServer server;
    private final NetClient client;
    private final int target;
    private final Set<NetSocket> open = ConcurrentHashMap.newKeySet();
    private volatile boolean cut;
    private volatile int limitBytes;

    public CutProxy(Vertx vertx, int target) {
        this.target = target;
        this.client = vertx.createNetClient();
        this.server = vertx.createNetServer().connectHandler(this::accept);
        await(server.listen(0, "127.0.0.1"));
    }

    public int port() {
        return server.actualPort();
    }

    private void accept(NetSocket from) {
        if (cut) {
            from.close();
            return;
        }
        open.add(from);
        from.pause();
        client.connect(target, "127.0.0.1").onFailure(error -> from.close()).onSuccess(to -> {
            open.add(to);
            if (limitBytes > 0) {
                limit(from, to, limitBytes);
            } else {
                from.pipeTo(to);
            }
            to.pipeTo(from);
        });
    }

    private static void limit(NetSocket from, NetSocket to, int bytes) {
        AtomicInteger left = new AtomicInteger(bytes);
        from.handler(said -> {
            if (left.addAndGet(-said.length()) < 0) {
                from.close();
                to.close();
            } else {
                to.write(said);
            }
        });
        from.closeHandler(none -> to.close());
        from.resume();
    }

    /** Every connection from now on breaks once its client has said so much. */
    void limit(int bytes) {
        limitBytes = bytes;
    }

    public void cut() {
        cut = true;
        open.forEach(NetSocket::close);
        open.clear();
    }

    public void mend() {
        cut = false;
    }

    @Override
    public void close() {
        await(server.close());
        await(client.close());
    }
}
