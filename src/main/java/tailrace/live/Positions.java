package tailrace.live;

import io.netty.buffer.ByteBuf;
import java.util.Collection;

/** Writes where a connection stands in all its executions: the {@code id:} of an event of many. Under 4 KiB. */
interface Positions {
    void write(Collection<Leg> legs, ByteBuf to);
}
