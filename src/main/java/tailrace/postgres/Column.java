package tailrace.postgres;

import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One column of a batch. Where no row has a value it goes out as an empty array: {@code unnest} fills it up with NULL,
 * and most entries use few of their fields.
 */
final class Column<T> {
    private final Class<T> type;
    private final List<@Nullable T> values;
    private boolean used;

    Column(Class<T> type, int capacity) {
        this.type = type;
        this.values = new ArrayList<>(capacity);
    }

    void add(@Nullable T value) {
        values.add(value);
        used |= value != null;
    }

    @Nullable
    T get(int row) {
        return values.get(row);
    }

    int size() {
        return values.size();
    }

    /** An array of T for rows {@code from} (included) to {@code to} (not included). */
    Object array(int from, int to) {
        if (!used) {
            return Array.newInstance(type, 0);
        }
        Object[] array = (Object[]) Array.newInstance(type, to - from);
        for (int i = from; i < to; i++) {
            array[i - from] = values.get(i);
        }
        return array;
    }
}
