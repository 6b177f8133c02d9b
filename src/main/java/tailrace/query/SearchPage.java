package tailrace.query;

import java.util.List;
import java.util.OptionalLong;
import tailrace.postgres.SearchReader.Hit;

/**
 * Entries of many executions, newest first.
 *
 * @param hasMore whether there is another one, or some days were not looked at yet
 * @param next where the next page begins
 * @param searchedToMicros down to which time of receipt everything was looked at; empty if that is all there is, or if
 *     the page is full
 */
public record SearchPage(List<Hit> hits, boolean hasMore, SearchCursor next, OptionalLong searchedToMicros) {
    public SearchPage {
        hits = List.copyOf(hits);
    }
}
