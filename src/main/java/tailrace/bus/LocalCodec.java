package tailrace.bus;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.MessageCodec;

/** Hands every {@link BusMessage} on by reference; there is no wire, so it refuses to encode. */
public final class LocalCodec implements MessageCodec<BusMessage, BusMessage> {
    public static final String NAME = "tailrace";

    /** Makes the bus use this codec for every message. Call once, before any verticle is deployed. */
    public static void register(Vertx vertx) {
        vertx.eventBus().registerCodec(new LocalCodec());
        vertx.eventBus().codecSelector(body -> body instanceof BusMessage ? NAME : null);
    }

    @Override
    public void encodeToWire(Buffer buffer, BusMessage message) {
        throw new IllegalStateException("bus messages stay within the process");
    }

    @Override
    public BusMessage decodeFromWire(int position, Buffer buffer) {
        throw new IllegalStateException("bus messages stay within the process");
    }

    @Override
    public BusMessage transform(BusMessage message) {
        return message;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public byte systemCodecID() {
        return -1;
    }
}
