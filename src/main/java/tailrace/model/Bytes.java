package tailrace.model;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Big-endian numbers in byte arrays: the order in which RocksDB compares keys. */
public final class Bytes {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

    private Bytes() {}

    public static long getLong(byte[] from, int offset) {
        return (long) LONG.get(from, offset);
    }

    public static void putLong(byte[] to, int offset, long value) {
        LONG.set(to, offset, value);
    }

    public static int getInt(byte[] from, int offset) {
        return (int) INT.get(from, offset);
    }

    public static void putInt(byte[] to, int offset, int value) {
        INT.set(to, offset, value);
    }
}
