package tailrace.cli;

import java.util.List;

/** The demo's workflows in words. */
final class DemoTexts {
    private DemoTexts() {}

    /** @param subject what a run is about; {@code %d} is a number */
    record Workflow(String id, String name, String subject, List<Step> steps) {}

    /**
     * @param running what a person reads while it runs; {@code %s} is the run's subject
     * @param done what a person reads afterwards; {@code %d} is a count
     * @param noise what an engineer reads meanwhile
     * @param error how it fails, if it does
     */
    record Step(
            String id,
            String name,
            String type,
            String running,
            String done,
            boolean milestone,
            List<String> noise,
            Failure error) {}

    record Failure(String code, String friendly, String exception, String frames) {}

    static List<Workflow> workflows() {
        return List.of(
                new Workflow(
                        "invoice-intake",
                        "Invoice intake",
                        "mailbox batch %d",
                        List.of(
                                new Step(
                                        "fetch",
                                        "Fetch mail",
                                        "connector",
                                        "Collecting invoices from %s",
                                        "%d attachments collected",
                                        false,
                                        List.of(
                                                "imap: SELECT INBOX ok, uidvalidity unchanged",
                                                "imap: FETCH 1:50 (BODY.PEEK[]) ok",
                                                "attachment: application/pdf, sha256 computed"),
                                        new Failure(
                                                "IMAP_AUTH",
                                                "The mailbox no longer accepts our password",
                                                "MailConnectionException: LOGIN failed",
                                                "    at mail.ImapSession.login(ImapSession.java:88)\n    at mail.ImapSession.open(ImapSession.java:41)\n    at steps.FetchMail.run(FetchMail.java:27)")),
                                new Step(
                                        "read",
                                        "Read documents",
                                        "model",
                                        "Reading the documents",
                                        "%d documents read",
                                        true,
                                        List.of(
                                                "ocr: page 1/3, 300 dpi, deskewed by 0.4°",
                                                "layout: table with 5 columns found",
                                                "extract: total=1 currency=EUR confidence=0.97"),
                                        new Failure(
                                                "OCR_UNREADABLE",
                                                "One document is too faint to be read",
                                                "UnreadableDocumentException: confidence 0.12 below 0.60",
                                                "    at ocr.PageReader.read(PageReader.java:143)\n    at ocr.DocumentReader.pages(DocumentReader.java:65)\n    at steps.ReadDocuments.run(ReadDocuments.java:52)")),
                                new Step(
                                        "match",
                                        "Match orders",
                                        "logic",
                                        "Looking for the orders they belong to",
                                        "%d invoices matched to orders",
                                        false,
                                        List.of(
                                                "match: candidates by supplier and amount",
                                                "match: tolerance 0.01 applied",
                                                "cache: 212 orders warm"),
                                        new Failure(
                                                "ORDER_MISSING",
                                                "An invoice names an order that does not exist",
                                                "OrderNotFoundException: no order for reference",
                                                "    at orders.OrderIndex.require(OrderIndex.java:71)\n    at steps.MatchOrders.run(MatchOrders.java:39)")),
                                new Step(
                                        "book",
                                        "Book",
                                        "connector",
                                        "Booking in the ledger",
                                        "%d invoices booked",
                                        true,
                                        List.of(
                                                "ledger: begin",
                                                "ledger: posted, journal day open",
                                                "ledger: commit ok"),
                                        new Failure(
                                                "LEDGER_CLOSED",
                                                "The ledger is closed for this month",
                                                "PeriodClosedException: period is locked",
                                                "    at ledger.Period.requireOpen(Period.java:33)\n    at ledger.Posting.apply(Posting.java:110)\n    at steps.Book.run(Book.java:44)")))),
                new Workflow(
                        "warehouse-sync",
                        "Warehouse sync",
                        "delta %d",
                        List.of(
                                new Step(
                                        "snapshot",
                                        "Snapshot source",
                                        "connector",
                                        "Taking a snapshot of %s",
                                        "%d changed tables found",
                                        false,
                                        List.of(
                                                "source: replication slot at LSN advanced",
                                                "source: statement timeout 30 s set",
                                                "source: 4 workers, keyset paging"),
                                        new Failure(
                                                "SLOT_LOST",
                                                "The source forgot where we were",
                                                "ReplicationSlotException: slot is invalidated",
                                                "    at source.Slot.resume(Slot.java:59)\n    at steps.Snapshot.run(Snapshot.java:31)")),
                                new Step(
                                        "transform",
                                        "Transform",
                                        "logic",
                                        "Cleaning and joining",
                                        "%d thousand rows transformed",
                                        true,
                                        List.of(
                                                "plan: hash join on customer_id",
                                                "spill: 0 bytes",
                                                "batch: 10000 rows in 81 ms"),
                                        new Failure(
                                                "TYPE_MISMATCH",
                                                "A column changed its type at the source",
                                                "SchemaDriftException: amount is text, expected numeric",
                                                "    at schema.Drift.check(Drift.java:97)\n    at steps.Transform.run(Transform.java:66)\nCaused by: NumberFormatException: \"12,50\"\n    at schema.Numeric.parse(Numeric.java:20)\n    ... 2 more")),
                                new Step(
                                        "load",
                                        "Load",
                                        "connector",
                                        "Loading into the warehouse",
                                        "%d partitions loaded",
                                        false,
                                        List.of(
                                                "stage: file 3 of 8 uploaded",
                                                "copy: 48211 rows, 0 rejected",
                                                "merge: target partition locked for 12 ms"),
                                        new Failure(
                                                "QUOTA",
                                                "The warehouse has no room left",
                                                "QuotaExceededException: 1.00 TiB of 1.00 TiB used",
                                                "    at warehouse.Stage.put(Stage.java:140)\n    at steps.Load.run(Load.java:58)")),
                                new Step(
                                        "check",
                                        "Check",
                                        "logic",
                                        "Comparing both sides",
                                        "%d checks passed",
                                        true,
                                        List.of(
                                                "check: row counts equal",
                                                "check: sum(amount) equal",
                                                "check: no orphan keys"),
                                        new Failure(
                                                "COUNT_DIFFERS",
                                                "Both sides differ by some rows",
                                                "ReconciliationException: counts differ",
                                                "    at steps.Check.compare(Check.java:75)\n    at steps.Check.run(Check.java:29)")))),
                new Workflow(
                        "customer-onboarding",
                        "Customer onboarding",
                        "customer %d",
                        List.of(
                                new Step(
                                        "verify",
                                        "Verify identity",
                                        "connector",
                                        "Checking the documents of %s",
                                        "%d checks of identity passed",
                                        true,
                                        List.of(
                                                "registry: lookup by number ok",
                                                "sanctions: 0 hits in 3 lists",
                                                "document: expiry date in the future"),
                                        new Failure(
                                                "ID_EXPIRED",
                                                "The identity document has expired",
                                                "DocumentExpiredException: valid until a past date",
                                                "    at identity.Document.requireValid(Document.java:48)\n    at steps.VerifyIdentity.run(VerifyIdentity.java:36)")),
                                new Step(
                                        "account",
                                        "Open account",
                                        "connector",
                                        "Opening the account",
                                        "Account opened with %d settings",
                                        false,
                                        List.of(
                                                "accounts: POST /accounts 201",
                                                "accounts: limits from template standard",
                                                "crypto: key pair made in the vault"),
                                        new Failure(
                                                "ACCOUNT_EXISTS",
                                                "This customer already has an account",
                                                "ConflictException: 409 from the account service",
                                                "    at accounts.Client.create(Client.java:92)\n    at steps.OpenAccount.run(OpenAccount.java:40)")),
                                new Step(
                                        "welcome",
                                        "Say welcome",
                                        "message",
                                        "Writing the welcome letter",
                                        "Letter of %d words sent",
                                        true,
                                        List.of(
                                                "template: welcome rendered",
                                                "mail: queued",
                                                "mail: accepted by relay"),
                                        new Failure(
                                                "MAIL_REFUSED",
                                                "The mail address does not exist",
                                                "MailRefusedException: 550 no such user",
                                                "    at mail.Relay.send(Relay.java:121)\n    at steps.Welcome.run(Welcome.java:33)")))));
    }
}
