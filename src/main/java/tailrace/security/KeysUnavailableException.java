package tailrace.security;

/** Nobody can tell now whether a token is good, because the issuer's keys could not be had yet. */
public final class KeysUnavailableException extends Exception {
    private static final long serialVersionUID = 1L;

    /** Without a stack trace: whoever has the outage logs it once. */
    public KeysUnavailableException(String detail) {
        super(detail, null, false, false);
    }
}
