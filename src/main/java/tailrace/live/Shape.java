package tailrace.live;

import tailrace.model.LogFilter;

/** What makes two readers' bytes the same. */
record Shape(EventFormat format, LogFilter filter) {}
