/**
 * What runs: each verticle wires consumers, timers and lifecycle around a plain class of {@code tailrace}.
 */
@NullMarked
package verticles;

import org.jspecify.annotations.NullMarked;
