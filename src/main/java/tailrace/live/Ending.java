package tailrace.live;

/**
 * Why a stream ends.
 *
 * @param closeCode what a WebSocket's close frame says
 * @param retryMillis what a client is told to wait before it comes back; 0 for nothing
 */
record Ending(int closeCode, long retryMillis) {
    /** All there was to show was shown. */
    static final Ending DONE = new Ending(1000, 0);
    /** A store cannot be read. */
    static final Ending STORE_UNAVAILABLE = new Ending(1011, 0);

    static final Ending TOKEN_EXPIRED = new Ending(4401, 0);
    static final Ending EXECUTION_NOT_FOUND = new Ending(4404, 0);

    private static final int SERVICE_RESTART = 1012;

    /** The server goes. */
    static Ending shutdown(long retryMillis) {
        return new Ending(SERVICE_RESTART, retryMillis);
    }
}
