package tailrace.postgres;

import static tailrace.postgres.TestDatabase.await;

import io.vertx.core.Vertx;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetSocket;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A link to PostgreSQL that can keep its answers back, and tells what was said to it meanwhile. */
final class HeldLink implements AutoCloseable {
    private final NetServer server;
    private final NetClient client;
    private final Set<NetSocket> answers = ConcurrentHashMap.newKeySet();
    private final StringBuffer said = new StringBuffer();

    HeldLink(Vertx vertx, int target) {
        client = vertx.createNetClient();
        server = vertx.createNetServer().connectHandler(from -> {
            from.pause();
            client.connect(target, "127.0.0.1").onFailure(error -> from.close()).onSuccess(to -> {
                answers.add(to);
                from.handler(bytes -> {
                    said.append(bytes.toString(StandardCharsets.ISO_8859_1));
                    to.write(bytes);
                });
                from.closeHandler(none -> to.close());
                to.pipeTo(from);
                from.resume();
            });
        });
        await(server.listen(0, "127.0.0.1"));
    }

    int port() {
        return server.actualPort();
    }

    /** From now on nothing comes back. */
    void hold() {
        answers.forEach(NetSocket::pause);
        said.setLength(0);
    }

    void release() {
        answers.forEach(NetSocket::resume);
    }

    /** What was said since it was last held. */
    String said() {
        return said.toString();
    }

    @Override
    public void close() {
        await(server.close());
        await(client.close());
    }
}
