package tailrace.security;

/** A token whose key is not known here; the issuer might know it by now, so it may be asked. */
final class UnknownKeyException extends InvalidTokenException {
    private static final long serialVersionUID = 1L;

    UnknownKeyException(String reason) {
        super(reason);
    }
}
